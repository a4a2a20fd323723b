"""The Discovery page: what it shows, what it saves, what it starts, and what it says
when that cannot be.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery.domain.run_params import NUMBER_SPECS
from discovery.models import (
    Config,
    Heartbeat,
    Provider,
    Pumps,
    Run,
    RunStep,
)
from tests.factories import MINT, NOW, RunFactory, WalletFactory
from tests.pages.conftest import Person

pytestmark = pytest.mark.django_db
PARAMS = {
    "min_price_change_pct": "100", "min_volume_usd": "50000", "min_liquidity_usd": "10000", "max_token_age_hours": "72",
    "max_tokens": "20", "early_window_minutes": "30", "min_profit_pct": "50", "max_requests_per_run": "",
    "profile_immediately": "on", "excluded_flags": ["plumbing", "creator", "bundle", "arbitrage", "wash"],
}  # fmt: skip


def params(**changes: Any) -> dict[str, Any]:
    """The form as it stands, with some values changed."""
    version = Config.objects.get().version
    return {"params_version": version, "schedule_version": version, **PARAMS, **changes}


def text(answer: Any) -> str:
    """A page or a fragment without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.parametrize("title", ["Scheduler", "Run", "Parameters", "Pumps now"])
def test_the_page_has_every_section(title: str, viewer: Person) -> None:
    assert f">{title}<" in viewer.page().content.decode()


def test_the_front_door_leads_to_the_page(viewer: Person) -> None:
    assert viewer.client.get("/").headers["Location"] == "/admin/discovery/"


def test_discovery_is_the_first_entry_of_the_navigation(viewer: Person) -> None:
    links = re.findall(
        r'<a href="(/admin/[^"]*)" class="flex h-', viewer.page().content.decode()
    )
    assert links[:2] == ["/admin/discovery/", "/admin/discovery/wallets/"]


def test_without_a_login_the_page_leads_to_it(db: None) -> None:
    assert (
        Client().get("/admin/discovery/").headers["Location"]
        == "/admin/login/?next=/admin/discovery/"
    )


@pytest.mark.parametrize(
    ("method", "path"), [("get", "live"), ("post", "params"), ("post", "run")]
)
def test_a_fragment_asked_for_after_the_login_has_ended_leaves_the_page_as_it_is(
    method: str, path: str, db: None
) -> None:
    answer = getattr(Client(), method)(
        f"/admin/discovery/{path}", headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_form_sent_after_the_login_has_ended_comes_back_to_its_page(db: None) -> None:
    page = "http://testserver/admin/discovery/wallets/x/"
    answer = Client().post(
        "/admin/discovery/wallets/x/change", headers={"Referer": page}
    )
    assert (
        answer.headers["Location"] == "/admin/login/?next=/admin/discovery/wallets/x/"
    )


def test_somebody_of_no_group_is_refused(person, config) -> None:
    assert Person(person(None, is_staff=True)).page().status_code == 403


def test_a_viewer_sees_everything_and_has_nothing_to_press(viewer: Person) -> None:
    page = viewer.page().content.decode()
    assert 'id="run-now"' not in page
    assert "You have read-only access" in page


@pytest.mark.parametrize("path", ["params", "schedule", "run"])
def test_a_viewer_changes_nothing(path: str, viewer: Person) -> None:
    before = Config.objects.values().get()
    assert (
        viewer.send(path, **params(max_tokens=5, schedule_hours=3)).status_code == 403
    )
    assert Config.objects.values().get() == before
    assert not Run.objects.exists()


def test_a_form_without_the_csrf_token_changes_nothing(operator: Person) -> None:
    operator.client.handler.enforce_csrf_checks = True
    assert operator.send("run", **params()).status_code == 403
    assert not Run.objects.exists()


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
        ("min_profit_pct", "500.01", "500.01 is not between 0 and 500 %"),
        ("max_tokens", "1.5", "1.5 is not a whole number"),
        ("max_tokens", "", "A number is needed here."),
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
    assert "longer than the time between runs" in words
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


# --- What moves -----------------------------------------------------------------------


def test_an_unchanged_page_is_answered_204_with_one_question_of_ours(
    viewer: Person,
) -> None:
    revision = re.search(r'"revision": "(\w+)"', viewer.page().content.decode())
    assert revision is not None
    with CaptureQueriesContext(connection) as queries:
        answer = viewer.part("live", revision=revision[1])
    assert answer.status_code == 204
    ours = [query["sql"] for query in queries if '"discovery_' in query["sql"]]
    assert len(ours) == 1


@pytest.mark.parametrize("what", ["start", "step", "cancel", "end", "config", "pumps"])
def test_whatever_happens_changes_the_revision(what: str, viewer: Person) -> None:
    run = RunFactory(status="running", stage="analyse", completed_at=None)
    step = RunStep.objects.create(run=run, kind="token", key=MINT)
    if what == "start":
        Run.objects.all().delete()
    revision = re.search(r'"revision": "(\w+)"', viewer.page().content.decode())
    assert revision is not None
    match what:
        case "start":
            RunFactory(status="queued", stage="queued", completed_at=None)
        case "step":
            RunStep.objects.filter(pk=step.pk).update(
                status="done", completed_at=timezone.now()
            )
        case "cancel":
            Run.objects.update(cancel_requested_at=timezone.now())
        case "end":
            Run.objects.update(status="completed", completed_at=timezone.now())
        case "config":
            Config.objects.update(version=9)
        case "pumps":
            Pumps.objects.update_or_create(pk=1, defaults={"asked_at": timezone.now()})
    assert viewer.part("live", revision=revision[1]).status_code == 200


def test_a_run_at_work_shows_stage_counts_and_time_left(viewer: Person) -> None:
    run = RunFactory(
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=timezone.now(),
    )
    began = timezone.now() - timedelta(seconds=40)
    for number in range(8):
        done = number < 4
        RunStep.objects.create(
            run=run, kind="token", key=f"{number}", status="done" if done else "pending", started_at=began,
            completed_at=timezone.now() if done else None,
        )  # fmt: skip
    words = text(viewer.part("live"))
    assert "analysing tokens 4 of 8" in words
    assert "about 40 s left in this stage" in words
    assert "4 of 8 analysed" in words


def test_a_run_without_a_worker_says_what_it_waits_for(viewer: Person) -> None:
    RunFactory(status="queued", stage="queued", completed_at=None)
    assert "No worker has reported in the last minute" in text(viewer.part("live"))
    Heartbeat.objects.create(name="worker:a:1", at=timezone.now())
    assert "No worker has reported in the last minute" not in text(viewer.part("live"))


def test_the_page_is_told_when_its_run_has_ended(viewer: Person) -> None:
    RunFactory()
    assert viewer.part("live", active="1").headers["HX-Trigger"] == "run-ended"


def test_somebody_elses_change_is_told_to_who_looks(viewer: Person) -> None:
    Config.objects.update(version=4, updated_by="ben")
    assert "The configuration was changed by ben" in text(
        viewer.part("live", params_version="1", schedule_version="4")
    )
    assert "was changed by" not in text(
        viewer.part("live", params_version="4", schedule_version="4")
    )


def test_a_first_day_page_says_what_to_press(operator: Person) -> None:
    assert "No run yet Press “Run now” below" in text(operator.page())


# --- What it says of the whole --------------------------------------------------------


def test_the_simulated_market_is_named_on_every_page(viewer: Person, settings) -> None:
    assert "Simulated market" not in text(viewer.page())
    settings.MARKET = "simulated"
    WalletFactory(number=1)
    for path in ("", "wallets/"):
        assert "Simulated market." in text(viewer.page(path))


def test_a_page_over_http_from_elsewhere_says_that_it_is_not_encrypted(
    viewer: Person, settings
) -> None:
    settings.ALLOWED_HOSTS = ["walltrack.example"]
    settings.PUBLIC_URL = "http://walltrack.example"
    answer = viewer.client.get(
        "/admin/discovery/", headers={"Host": "walltrack.example"}
    )
    assert "Not encrypted." in text(answer)


def test_an_open_api_is_told(viewer: Person, settings) -> None:
    settings.API_AUTH_ENABLED = False
    assert "The API is open." in text(viewer.page())


def test_the_last_result_is_told(viewer: Person) -> None:
    RunFactory(status="failed", started_at=NOW)
    assert "failed" in text(viewer.page()).split("Last run", 1)[1][:80]


def test_what_the_last_run_came_to_is_told(viewer: Person) -> None:
    RunFactory(errors=["lost"])
    words = text(viewer.part("live"))
    assert "completed with errors" in words
    assert "4 analysed" in words
    assert "2 new, 1 seen again" in words


def test_a_provider_that_refuses_its_key_is_a_banner_with_its_cause(
    viewer: Person,
) -> None:
    now = timezone.now()
    Provider.objects.create(
        name="jupiter", last_success_at=now, last_failure_at=now - timedelta(hours=1)
    )
    Provider.objects.create(
        name="helius", last_failure_at=now, last_cause="the key is refused (HTTP 401)"
    )
    for words in (text(viewer.page()), text(viewer.part("live"))):
        assert "helius failed" in words
        assert "the key is refused (HTTP 401)" in words
        assert "jupiter failed" not in words
