"""Forms of the Discovery page: parameters, schedule, start of a run."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from discovery.domain.run_params import NUMBER_SPECS, PARAM_SPECS
from discovery.models import Config, Run
from tests.pages.conftest import Person
from tests.pages.content import params, text

pytestmark = pytest.mark.django_db


# --- Parameters -----------------------------------------------------------------------


def test_parameters_are_saved_with_who_and_used_from_the_next_run(
    operator: Person,
) -> None:
    answer = operator.send("params", **params(max_tokens="7", min_profit_pct="12.5"))
    assert "Saved; used from the next run." in text(answer)
    config = Config.objects.get()
    assert (config.max_tokens, config.min_profit_pct, config.version) == (7, 12.5, 2)
    assert config.updated_by == operator.user.username
    assert config.history.first().history_user == operator.user
    assert re.search(r'id="params-version"\s+value="2"', answer.content.decode())


def test_every_declared_parameter_has_a_field_on_the_page(operator: Person) -> None:
    page = operator.client.get("/admin/discovery/").content.decode()
    missing = [name for name in PARAM_SPECS if f'name="{name}"' not in page]
    assert not missing


def test_flags_and_profiling_are_saved(operator: Person) -> None:
    operator.send(
        "params",
        **{**params(excluded_flags=["sniper", "creator"]), "profile_immediately": ""},
    )
    config = Config.objects.get()
    assert (config.excluded_flags, config.profile_immediately) == (
        ["creator", "sniper"],
        False,
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("min_price_change_pct", "1000", "1,000 is not between 0 and 999.99 %"),
        ("min_volume_usd", "-1", "-1 is not between 0 and 9,999,999,999,999.99 USD"),
        ("min_liquidity_usd", "x", "&#x27;x&#x27; is not a number"),
        ("max_token_age_hours", "169", "169 is not between 1 and 168 h"),
        ("early_window_minutes", "4", "4 is not between 5 and 120 min"),
        ("max_early_buyers", "19", "19 is not between 20 and 2,000 wallets"),
        ("min_profit_pct", "500.01", "500.01 is not between 0 and 500 %"),
        ("min_cost_sol", "0.0001", "0.0001 has more than 3 digits after the point"),
        ("max_tokens", "1.5", "1.5 is not a whole number"),
        ("max_tokens", "", "A number is needed here."),
        ("control_wallets", "26", "26 is not between 0 and 25 wallets"),
        ("max_requests_per_run", "99", "99 is not between 100 and 10,000,000 calls"),
    ],
)
def test_a_bad_value_is_told_beside_its_field_and_nothing_is_saved(
    field: str, value: str, words: str, operator: Person
) -> None:
    page = operator.send("params", **params(**{field: value})).content.decode()
    of_field = page[page.index(f'data-field="{field}"') :].split("data-field=", 2)[1]
    assert words in of_field
    assert f'value="{value}"' in of_field or not value  # what was typed is still there
    assert Config.objects.get().version == 1


def test_every_parameter_that_can_be_broken_was_broken() -> None:
    broken = {
        case[0]
        for case in test_a_bad_value_is_told_beside_its_field_and_nothing_is_saved.pytestmark[
            0
        ].args[1]
    }
    assert broken == set(NUMBER_SPECS)


def test_the_second_of_two_operators_is_told_and_loses_nothing(
    operator: Person,
) -> None:
    mine = params(max_tokens="9")
    Config.objects.update(version=2, max_tokens=11, updated_by="ben")
    answer = operator.send("params", **mine)
    assert "ben changed the configuration meanwhile (version 2)" in text(answer)
    assert "max tokens 9 instead of 11" in text(answer)
    assert Config.objects.get().max_tokens == 11
    again = operator.send("params", **{**mine, "params_version": 2})
    assert "Saved" in text(again)
    assert Config.objects.get().max_tokens == 9


def test_saving_what_is_saved_already_makes_no_new_version(operator: Person) -> None:
    assert "Nothing differs" in text(operator.send("params", **params()))
    assert Config.objects.get().version == 1


def test_what_the_parameters_would_cost_is_told(viewer: Person, settings) -> None:
    settings.HELIUS_API_KEY = ""
    words = text(viewer.part("estimate", max_tokens="20", profile_immediately="on"))
    assert "calls" in words
    assert "instead of 20, the most promising first, so that they end before" in words
    assert "A month" in words
    assert "figures are assumptions" in words
    assert text(viewer.part("estimate", max_tokens="nonsense")).strip() == ""


# --- Schedule -------------------------------------------------------------------------


def test_other_hours_move_the_next_run_at_once(operator: Person) -> None:
    answer = operator.send(
        "schedule", enabled="on", schedule_hours="3", schedule_version=1
    )
    config = Config.objects.get()
    assert (config.schedule_hours, config.enabled) == (3, True)
    assert abs(config.next_run_at - timezone.now() - timedelta(hours=3)) < timedelta(
        minutes=1
    )
    assert config.next_run_at.isoformat()[:16] in answer.content.decode()


def test_the_switch_says_why_nothing_runs(operator: Person) -> None:
    answer = operator.send("schedule", schedule_hours="6", schedule_version=1)
    assert "none: switched off in the configuration" in text(answer)


def test_a_schedule_off_by_environment_says_so(viewer: Person, settings) -> None:
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    assert "DISCOVERY_SCHEDULER_ENABLED=false" in text(viewer.page())


def test_where_environment_and_configuration_differ_it_is_said(
    viewer: Person, settings
) -> None:
    settings.DISCOVERY_SCHEDULE_HOURS = 12
    Config.objects.update(updated_by="ana")
    assert "environment 12, in force 6, set here by ana" in text(viewer.page())


@pytest.mark.parametrize("hours", ["0", "25", "x", "", "²"])
def test_hours_out_of_bounds_are_refused_in_words(hours: str, operator: Person) -> None:
    answer = operator.send(
        "schedule", enabled="on", schedule_hours=hours, schedule_version=1
    )
    assert "1 to 24 hours" in text(answer)
    assert Config.objects.get().schedule_hours == 6


def test_a_schedule_changed_meanwhile_is_shown_and_not_overwritten(
    operator: Person,
) -> None:
    Config.objects.update(version=5, schedule_hours=2, updated_by="ben")
    answer = operator.send(
        "schedule", enabled="on", schedule_hours="12", schedule_version=1
    )
    assert "ben changed the configuration meanwhile" in text(answer)
    assert Config.objects.get().schedule_hours == 2


# --- Run now --------------------------------------------------------------------------


def test_a_run_starts_with_the_saved_values(operator: Person) -> None:
    answer = operator.send("run", **params())
    run = Run.objects.get()
    assert (run.status, run.trigger_type, run.triggered_by) == (
        "queued",
        "manual",
        operator.user.username,
    )
    assert answer.headers["HX-Trigger"] == "run-started"
    assert "Started with the saved parameters." in text(answer)


def test_a_run_uses_what_stands_on_the_form_and_names_what_differs(
    operator: Person,
) -> None:
    answer = operator.send("run", **params(max_tokens="3", excluded_flags=["creator"]))
    assert (
        "Started with max tokens 3 instead of 20; excluded flags creator instead of plumbing"
        in text(answer)
    )
    assert Run.objects.get().max_tokens == 3
    assert Config.objects.get().max_tokens == 20


def test_a_bad_value_starts_nothing(operator: Person) -> None:
    assert "was not started" in text(operator.send("run", **params(max_tokens="0")))
    assert not Run.objects.exists()


def test_a_second_start_is_told_which_run_is_active(operator: Person) -> None:
    operator.send("run", **params())
    answer = operator.send("run", **params())
    assert f"/admin/discovery/runs/{Run.objects.get().pk}/" in answer.content.decode()
    assert "Another run is active." in text(answer)
