"""The Discovery page: access, sections, live updates, banners."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery.models import Config, Heartbeat, Provider, Pumps, Run, RunStep
from tests.factories import MINT, NOW, RunFactory, WalletFactory
from tests.pages.conftest import Person
from tests.pages.content import params, text

pytestmark = pytest.mark.django_db


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
