"""Figures and history over one range of dates; one run in a dialog and on its page."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from discovery.models import Run, RunStep
from tests.factories import (
    MINT,
    NOW,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


def rows(answer: Any) -> int:
    return answer.content.decode().count('class="wt-open"')


def test_the_history_has_ten_runs_a_page(viewer: Person) -> None:
    for number in range(13):
        RunFactory(started_at=timezone.now() - timedelta(hours=number))
    assert rows(viewer.part("overview")) == 10
    assert "1–10 of 13" in text(viewer.part("overview"))
    assert rows(viewer.part("overview", page=2)) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"range": "7"}, 1),
        ({"range": "30"}, 2),
        ({"range": "all"}, 3),
        ({"range": "days", "since": "2020-01-01", "until": "2020-01-01"}, 1),
        ({"range": "days", "since": "2020-01-02"}, 2),
        ({"range": "days", "since": "2020-01-02", "until": "2020-01-01"}, 3),
        ({"range": "nonsense"}, 2),
        ({"range": "days", "until": "9999-12-31"}, 3),
        ({"range": "days", "since": "0002-11-26"}, 3),
    ],
)
def test_one_range_governs_history_and_figures(
    query: dict[str, str], count: int, viewer: Person
) -> None:
    day = timezone.now()
    RunFactory(started_at=day)
    RunFactory(started_at=day - timedelta(days=20))
    RunFactory(started_at=day.replace(year=2020, month=1, day=1))
    answer = viewer.part("overview", **query)
    assert rows(answer) == count
    assert f"Runs {count} " in text(answer)


def test_before_the_first_run_the_history_says_what_to_press(viewer: Person) -> None:
    assert "No run yet Press “Run now”" in text(viewer.part("overview"))
    RunFactory(started_at=timezone.now() - timedelta(days=60))
    assert "No run in this range" in text(viewer.part("overview"))


def test_a_range_that_lies_ahead_is_empty(viewer: Person) -> None:
    RunFactory()
    tomorrow = f"{timezone.now() + timedelta(days=1):%Y-%m-%d}"
    words = text(viewer.part("overview", range="days", since=tomorrow))
    assert "No run in this range" in words


def test_a_page_past_the_last_is_the_last(viewer: Person) -> None:
    for number in range(13):
        RunFactory(started_at=timezone.now() - timedelta(hours=number))
    assert "11–13 of 13" in text(viewer.part("overview", page=9))


def test_the_history_stays_on_its_page_when_a_run_ends(viewer: Person) -> None:
    for number in range(13):
        RunFactory(started_at=timezone.now() - timedelta(hours=number))
    page = viewer.part("overview", page=2).content.decode()
    assert re.search(r'overview\?page=2"\s+hx-trigger="run-ended from:body', page)


def test_a_range_that_ends_before_it_begins_is_told(viewer: Person) -> None:
    query = {"range": "days", "since": "2020-01-02", "until": "2020-01-01"}
    assert "The last day lies before the first." in text(
        viewer.part("overview", **query)
    )


def test_the_history_is_filtered_by_status_and_by_who_asked(viewer: Person) -> None:
    now = timezone.now()
    RunFactory(started_at=now, status="failed")
    RunFactory(started_at=now, trigger_type="scheduled")
    assert rows(viewer.part("overview", status="failed")) == 1
    assert rows(viewer.part("overview", trigger_type="scheduled")) == 1
    assert "No run in this range with these filters" in text(
        viewer.part("overview", status="cancelled")
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "skipped"}, "skipped"),
        ({"status": "completed", "errors": ["lost"]}, "completed with errors"),
    ],
)
def test_a_status_is_told_in_words(
    values: dict[str, Any], words: str, viewer: Person
) -> None:
    RunFactory(started_at=timezone.now(), **values)
    assert re.search(
        rf"</span>{words}</span>", viewer.part("overview").content.decode()
    )


def test_charts_hold_every_day_of_the_range(viewer: Person) -> None:
    RunFactory(started_at=timezone.now(), new_wallets=4)
    page = viewer.part("overview", range="7").content.decode()
    charts = re.findall(r'data-chart="([^"]+)"', page)
    assert len(charts) == 2
    assert "[0, 0, 0, 0, 0, 0, 4]" in charts[0].replace("&quot;", '"')


def test_an_empty_history_says_what_to_press(viewer: Person) -> None:
    assert "Press “Run now”" in text(viewer.part("overview", range="all"))


def run_with_everything() -> Run:
    lost = {
        "step": "token X",
        "code": "rate_limited",
        "message": "Jupiter answered 429",
    }
    run = RunFactory(
        errors=[lost],
        source_note="transactions come from Helius by time",
        profile_immediately=True,
    )
    RunTokenFactory(run=run, symbol="<script>alert(1)</script>")
    RunWalletFactory(run=run, wallet=1)
    for kind, key in (
        ("find", ""),
        ("token", MINT),
        ("wallet", address(1)),
        ("finish", ""),
    ):
        RunStep.objects.create(
            run=run, kind=kind, key=key, status="done", attempt=1, started_at=NOW,
            completed_at=NOW + timedelta(seconds=30),
        )  # fmt: skip
    return run


@pytest.mark.parametrize(
    "words",
    ["Timeline", "Analysing tokens", "Candidate funnel", "qualified", "Jupiter answered 429", "Provider usage",
     "helius", "Minimum price change", "180.6", "+5.0000"],
)  # fmt: skip
def test_the_page_of_a_run_tells_everything(words: str, viewer: Person) -> None:
    assert words in text(viewer.page(f"runs/{run_with_everything().pk}/"))


@pytest.mark.parametrize("tail", ["", "dialog"])
def test_names_of_the_chain_are_harmless(tail: str, viewer: Person) -> None:
    page = viewer.part(f"runs/{run_with_everything().pk}/{tail}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_dialog_has_the_essentials_and_the_way_to_the_page(viewer: Person) -> None:
    run = run_with_everything()
    answer = viewer.part(f"runs/{run.pk}/dialog")
    assert "Jupiter answered 429" in text(answer)
    assert f"/admin/discovery/runs/{run.pk}/" in answer.content.decode()


@pytest.mark.parametrize("errors", [None, [], "boom", {"code": "x"}, ["a line"]])
def test_a_run_of_the_earlier_system_opens_with_its_holes(
    errors: object, viewer: Person
) -> None:
    run = Run.objects.create(
        started_at=NOW, status="running", trigger_type="manual", errors=errors, tokens_analyzed=None, new_wallets=None,
        updated_wallets=None, profiled_wallets=None,
    )  # fmt: skip
    assert viewer.page(f"runs/{run.pk}/").status_code == 200
    assert viewer.part(f"runs/{run.pk}/dialog").status_code == 200
    assert viewer.part("overview", range="all").status_code == 200


@pytest.mark.parametrize("tail", ["", "dialog", "live"])
def test_an_unknown_run_is_404(tail: str, viewer: Person) -> None:
    assert viewer.page(f"runs/{uuid.uuid4()}/{tail}").status_code == 404


def test_an_operator_cancels_a_run(operator: Person) -> None:
    run = RunFactory(status="running", stage="analyse", completed_at=None)
    RunStep.objects.create(
        run=run, kind="token", key=MINT, status="running", heartbeat_at=timezone.now()
    )
    assert (
        operator.send(f"runs/{run.pk}/cancel").headers["HX-Redirect"]
        == f"/admin/discovery/runs/{run.pk}/"
    )
    assert Run.objects.get().cancel_requested_at is not None


def test_cancelled_from_the_discovery_page_the_page_stays(operator: Person) -> None:
    run = RunFactory(status="queued", stage="queued", completed_at=None)
    answer = operator.send(f"runs/{run.pk}/cancel", **{"from": "home"})
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "run-started")


def test_an_operator_runs_again_with_the_same_parameters(operator: Person) -> None:
    old = RunFactory(max_tokens=7)
    answer = operator.client.post(f"/admin/discovery/runs/{old.pk}/retry")
    new = Run.objects.exclude(pk=old.pk).get()
    assert (new.max_tokens, new.retry_of_id, new.trigger_type) == (7, old.pk, "manual")
    assert answer.headers["Location"] == f"/admin/discovery/runs/{new.pk}/"


@pytest.mark.parametrize(
    ("status", "act"), [("completed", "cancel"), ("skipped", "retry")]
)
def test_what_the_state_forbids_is_said(
    status: str, act: str, operator: Person
) -> None:
    run = RunFactory(status=status)
    answer = operator.client.post(f"/admin/discovery/runs/{run.pk}/{act}", follow=True)
    assert f"it is {status}" in text(answer)


def test_a_retry_while_another_run_is_active_leads_to_that(operator: Person) -> None:
    old = RunFactory()
    active = RunFactory(
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=timezone.now(),
    )
    answer = operator.client.post(f"/admin/discovery/runs/{old.pk}/retry")
    assert answer.headers["Location"] == f"/admin/discovery/runs/{active.pk}/"


@pytest.mark.parametrize("act", ["cancel", "retry"])
def test_a_viewer_neither_cancels_nor_retries(act: str, viewer: Person) -> None:
    run = RunFactory()
    assert viewer.send(f"runs/{run.pk}/{act}").status_code == 403
    assert Run.objects.count() == 1


def test_the_head_of_a_run_reloads_its_page_when_it_is_over(viewer: Person) -> None:
    run = RunFactory(status="running", stage="profile", completed_at=None)
    assert viewer.part(f"runs/{run.pk}/live").status_code == 200
    Run.objects.update(status="completed", stage="done")
    assert viewer.part(f"runs/{run.pk}/live").headers["HX-Refresh"] == "true"


def test_a_list_that_is_turned_leaves_the_other_where_it_is(viewer: Person) -> None:
    run = RunFactory()
    for number in range(30):
        RunWalletFactory(run=run, wallet=number)
        RunTokenFactory(run=run, mint=address(1000 + number), rank=number)
    page = viewer.page(f"runs/{run.pk}/", page=2, tokens=1).content.decode()
    assert 'href="?page=2&amp;tokens=2#tokens"' in page
    assert 'href="?page=1&amp;tokens=1#wallets"' in page
