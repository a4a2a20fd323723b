"""Why an address is not on the watchlist, and changes that are tried out."""

import pytest

from discovery.models import Config, Run
from tests.api.client import Api
from tests.factories import (
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    WalletFactory,
    address,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]


@pytest.fixture
def run() -> Run:
    run = RunFactory()
    RunTokenFactory(run=run)
    PositionFactory(run=run, wallet=1)
    PositionFactory(run=run, wallet=2, rejection="profit", profit_pct=20)
    return run


def test_a_rejected_wallet_has_figures_and_thresholds(run: Run, reader: Api) -> None:
    body = reader.get(f"why/{address(2)}").json()
    (row,) = body["positions"]
    assert (body["kind"], row["run_id"], row["rejection"]) == (
        "rejected",
        str(run.pk),
        "profit",
    )
    assert (row["profit_pct"], row["cost_lamports"]) == (20, "1000000000")
    assert row["thresholds"]["min_profit_pct"] == 50
    assert (row["passes_now"], body["wallet"]) == (False, None)


def test_an_address_that_nobody_saw_is_an_answer(reader: Api) -> None:
    response = reader.get(f"why/{address(99)}")
    assert (response.status_code, response.json()["kind"]) == (200, "never_seen")


def test_what_is_no_address_is_refused(reader: Api) -> None:
    response = reader.get("why/nonsense")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "address"


def test_a_wallet_of_the_watchlist_has_its_verdict(reader: Api) -> None:
    WalletFactory(number=1)
    body = reader.get(f"why/{address(1)}").json()
    assert (body["kind"], body["wallet"]["verdict"]) == ("listed", "watch")


def test_a_change_is_tried_out_and_not_saved(run: Run, reader: Api) -> None:
    version = Config.objects.get().version
    body = reader.post("config/what-if", {"params": {"min_profit_pct": 20}}).json()
    assert [row["address"] for row in body["entering"]["wallets"]] == [address(2)]
    assert (body["leaving"]["total"], body["qualified_after"]) == (0, 2)
    assert Config.objects.get().version == version


def test_without_a_body_the_saved_parameters_are_compared(
    run: Run, reader: Api
) -> None:
    response = reader.post("config/what-if")
    assert response.status_code == 200
    assert response.json()["qualified"] == 1


def test_the_schedule_may_stand_in_the_body(run: Run, reader: Api) -> None:
    body = {"enabled": False, "schedule_hours": 4, "runs": 1}
    assert reader.post("config/what-if", body).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"runs": 0}, "runs"),
        ({"runs": 21}, "runs"),
        ({"runs": "5"}, "runs"),
        ({"params": {"min_profit_pct": 501}}, "params.min_profit_pct"),
        ({"params": {"colour": 1}}, "params.colour"),
        ({"colour": 1}, "colour"),
    ],
)
def test_an_invalid_change_is_refused_by_field(
    body: dict, field: str, reader: Api
) -> None:
    response = reader.post("config/what-if", body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
