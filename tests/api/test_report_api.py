"""The report of the forward record through the API."""

import pytest

from tests.api.client import Api
from tests.forward_rows import create_record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]


def test_a_report_has_the_sentence_and_both_groups(reader: Api) -> None:
    create_record(wallets=12, tokens=30)
    body = reader.get("report").json()
    assert body["horizon_hours"] == 168
    assert body["sentence"].startswith("Following these wallets with 0.5 SOL")
    assert (body["lift"]["found"]["trades"], body["lift"]["control"]["wallets"]) == (
        360,
        12,
    )
    assert body["claim"]["kind"] == "more"
    assert list(body["by_version"]) == ["2"]
    assert len(body["calibration"]["fifths"]) == 5


def test_what_is_not_known_is_null(reader: Api) -> None:
    body = reader.get("report?horizon=24").json()
    assert body["horizon_hours"] == 24
    assert (body["as_of"], body["lift"]["lift_stakes"], body["luck"]) == (None,) * 3
    assert body["outlook"]["control"]["missing"] == {
        "wallets": 10,
        "tokens": 10,
        "trades": 30,
    }


def test_times_of_entries_are_in_utc(reader: Api) -> None:
    create_record(wallets=10, tokens=30)
    body = reader.get("report").json()
    assert body["lift"]["first_entry_at"].endswith("Z")
    assert body["weeks"][0]["starts_at"] == "2026-11-02T00:00:00Z"


@pytest.mark.parametrize("horizon", ["1", "169", "week", "-24"])
def test_another_horizon_is_refused(horizon: str, reader: Api) -> None:
    response = reader.get(f"report?horizon={horizon}")
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "horizon", "message": "one of 24, 168, 336, 720"}
    ]
