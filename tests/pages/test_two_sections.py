"""Schedule and parameters on one page, two operators at once: nobody overwrites what
they have not seen.
"""

import re
from decimal import Decimal
from typing import Any

import pytest

from discovery import services
from discovery.models import Config
from tests.pages.conftest import Person
from tests.pages.content import params, text

pytestmark = pytest.mark.django_db


def versions(answer: Any) -> dict[str, str]:
    """The versions that an answer puts on the page."""
    return dict(
        re.findall(
            r'id="(params|schedule)-version"\s+value="(\d+)"', answer.content.decode()
        )
    )


def test_an_own_change_of_one_section_is_no_conflict_for_the_other(
    operator: Person,
) -> None:
    answer = operator.send(
        "schedule",
        enabled="on",
        schedule_hours="3",
        schedule_version=1,
        params_version=1,
    )
    assert versions(answer) == {"params": "2", "schedule": "2"}
    answer = operator.send(
        "params", **params(max_tokens="7", params_version=2, schedule_version=2)
    )
    assert versions(answer) == {"params": "3", "schedule": "3"}


def test_a_conflict_in_the_schedule_does_not_hide_one_in_the_parameters(
    operator: Person,
) -> None:
    """ben has saved another volume. An operator who has seen only the conflict of the
    schedule must still see that of the parameters.
    """
    Config.objects.update(version=2, min_volume_usd=60000, updated_by="ben")
    answer = operator.send(
        "schedule", schedule_hours="6", schedule_version=1, params_version=1
    )
    assert "ben changed" in text(answer)
    assert versions(answer) == {"schedule": "2"}
    answer = operator.send("params", **params(params_version=1, schedule_version=2))
    assert "min volume usd 50000 instead of 60000" in text(answer)
    assert Config.objects.get().min_volume_usd == 60000


def test_a_conflict_in_the_parameters_does_not_hide_one_in_the_schedule(
    operator: Person,
) -> None:
    Config.objects.update(version=2, schedule_hours=2, updated_by="ben")
    assert versions(
        operator.send("params", **params(params_version=1, schedule_version=1))
    ) == {"params": "2"}
    operator.send(
        "schedule",
        enabled="on",
        schedule_hours="12",
        schedule_version=1,
        params_version=2,
    )
    assert Config.objects.get().schedule_hours == 2


@pytest.mark.parametrize("path", ["params", "schedule"])
def test_who_is_a_moment_late_sees_what_the_other_saved(
    path: str, operator: Person, monkeypatch
) -> None:
    save = services.save_config

    def after_another(changes: dict[str, Any], **who: Any) -> Any:
        save(
            {"min_volume_usd": Decimal(70000), "schedule_hours": 3},
            version=who["version"],
            by="ben",
        )
        return save(changes, **who)

    monkeypatch.setattr("discovery.services.save_config", after_another)
    words = text(
        operator.send(path, **params(max_tokens="9"), enabled="on", schedule_hours="12")
    )
    assert "ben" in words
    if path == "params":
        assert "min volume usd 50000 instead of 70000" in words
    assert (Config.objects.get().max_tokens, Config.objects.get().schedule_hours) == (
        20,
        3,
    )


def test_a_change_over_a_page_that_is_behind_leaves_the_other_section_behind(
    operator: Person,
) -> None:
    Config.objects.update(version=2, min_volume_usd=60000, updated_by="ben")
    answer = operator.send(
        "schedule",
        enabled="on",
        schedule_hours="3",
        schedule_version=2,
        params_version=1,
    )
    assert "Saved." in text(answer)
    assert versions(answer) == {"schedule": "3"}


def test_a_bad_value_does_not_move_the_version(operator: Person) -> None:
    Config.objects.update(version=2)
    assert versions(
        operator.send("params", **params(params_version=1, max_tokens="0"))
    ) == {"params": "1"}


@pytest.mark.parametrize(
    "name", ["params_version", "schedule_version", "schedule_hours", "max_tokens"]
)
@pytest.mark.parametrize("value", ["9" * 5000, "1e20000000", "-1", "\x00", "²"])
def test_no_number_of_a_form_breaks_the_page(
    name: str, value: str, operator: Person
) -> None:
    for path in ("params", "schedule", "run"):
        answer = operator.send(
            path, **{**params(), "enabled": "on", "schedule_hours": "6", name: value}
        )
        assert answer.status_code == 200
        assert len(answer.content) < 60_000


def test_the_time_that_is_called_utc_is_utc(operator: Person, settings) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"
    Config.objects.update(next_run_at="2026-11-26T18:28:00Z")
    page = operator.page().content.decode()
    assert "18:28 UTC" in text(operator.page())
    assert "23:58 UTC" not in page


def test_a_comma_that_is_no_thousand_is_not_left_out(operator: Person) -> None:
    assert "is not a number" in text(
        operator.send("params", **params(min_profit_pct="12,5"))
    )
    assert "Saved" in text(operator.send("params", **params(min_volume_usd="60,000")))
    assert Config.objects.get().min_volume_usd == 60000
