"""A run in each of its states: the words that fit it, what moves while it works, pages
past the end.
"""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery.models import Run, RunStep
from tests.factories import (
    MINT,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    TradeFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import params, text

pytestmark = pytest.mark.django_db


def at_work() -> Run:
    run = RunFactory(
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=timezone.now(),
    )
    RunStep.objects.create(run=run, kind="token", key=MINT, heartbeat_at=timezone.now())
    return run


def test_the_head_of_a_run_that_has_not_moved_is_204_with_one_question_of_ours(
    viewer: Person,
) -> None:
    run = at_work()
    head = viewer.part(f"runs/{run.pk}/live")
    assert head.headers["HX-Trigger"] == "run-moved"
    revision = re.search(r'"revision": "(\w+)"', head.content.decode())
    assert revision is not None
    with CaptureQueriesContext(connection) as queries:
        assert (
            viewer.part(f"runs/{run.pk}/live", revision=revision[1]).status_code == 204
        )
    assert (
        len([query["sql"] for query in queries if '"discovery_' in query["sql"]]) == 1
    )
    RunStep.objects.update(status="done", completed_at=timezone.now())
    assert viewer.part(f"runs/{run.pk}/live", revision=revision[1]).status_code == 200


def test_wallets_appear_on_the_page_of_a_run_at_work(viewer: Person) -> None:
    run = at_work()
    assert "run-moved from:body" in viewer.page(f"runs/{run.pk}/").content.decode()
    assert "0 qualified" in text(viewer.part(f"runs/{run.pk}/body"))
    RunWalletFactory(run=run, wallet=1)
    assert "1 qualified" in text(viewer.part(f"runs/{run.pk}/body"))


def test_a_cancelled_run_is_no_failure(viewer: Person) -> None:
    run = RunFactory(
        status="cancelled",
        errors=[{"step": "run", "code": "cancelled", "message": "asked for by ana"}],
    )
    assert "open the run to see what failed" not in text(viewer.part("live"))
    words = text(viewer.page(f"runs/{run.pk}/"))
    assert "Why it ended" in words
    assert "None was found before it was cancelled." in words
    assert "The funnel shows" not in words


def test_a_skipped_slot_says_that_nothing_was_looked_for(viewer: Person) -> None:
    run = RunFactory(
        status="skipped",
        errors=[{"step": "run", "code": "skipped", "message": "another run is active"}],
    )
    assert "nothing was searched" in text(viewer.part(f"runs/{run.pk}/dialog"))
    assert "Why it did not run" in text(viewer.page(f"runs/{run.pk}/"))


def test_a_run_of_the_earlier_system_without_an_end_is_the_last_one(
    viewer: Person,
) -> None:
    RunFactory(status="completed", stage=None, completed_at=None)
    words = text(viewer.part("live"))
    assert "The last run ended at an unknown time" in words
    assert "No run yet" not in words


def test_all_steps_that_failed_are_counted(viewer: Person) -> None:
    run = RunFactory(status="failed", errors=["lost"])
    for number in range(20):
        RunStep.objects.create(
            run=run,
            kind="token",
            key=address(number),
            status="failed",
            error="no answer",
            heartbeat_at=timezone.now(),
        )
    assert "Steps that failed (the first 8 of 20)" in text(
        viewer.page(f"runs/{run.pk}/")
    )


def test_a_run_whose_steps_were_deleted_says_so(viewer: Person, settings) -> None:
    settings.RECORDS = settings.RECORDS._replace(steps=timedelta(days=17))
    run = RunFactory(steps_total=9)
    words = text(viewer.page(f"runs/{run.pk}/"))
    assert "The 9 steps of this run were deleted" in words
    assert "kept for 17 days after a run has ended" in words


def test_a_run_without_steps_does_not_say_that_they_were_deleted(
    viewer: Person,
) -> None:
    run = RunFactory(steps_total=0)
    words = text(viewer.page(f"runs/{run.pk}/"))
    assert "No steps are stored for this run" in words
    assert "were deleted" not in words


def test_early_buyers_say_how_long_they_are_kept(viewer: Person, settings) -> None:
    settings.RECORDS = settings.RECORDS._replace(changes=timedelta(days=77))
    words = text(viewer.part(f"runs/{RunFactory().pk}/early-buyers"))
    assert "are deleted 77 days after the last analysis of the token" in words


@pytest.mark.django_db(transaction=True)
def test_a_run_that_nobody_could_be_told_of_says_so(
    operator: Person, monkeypatch
) -> None:
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: False)
    assert "The queue of work is unreachable" in text(operator.send("run", **params()))
    old = Run.objects.get()
    Run.objects.update(status="failed", stage="done", completed_at=timezone.now())
    answer = operator.client.post(f"/admin/discovery/runs/{old.pk}/retry", follow=True)
    assert "The queue of work is unreachable" in text(answer)


def test_pages_past_the_end_are_the_last(viewer: Person) -> None:
    run = RunFactory()
    RunWalletFactory(run=run, wallet=1)
    RunTokenFactory(run=run)
    WalletFactory(number=0)
    TradeFactory(wallet=0)
    PositionFactory(wallet=0, mint=MINT)
    words = text(viewer.page(f"runs/{run.pk}/", page=3, tokens=9))
    assert "No wallet qualified" not in words
    assert "No token was analysed" not in words
    assert "No position is known yet" not in text(
        viewer.page(f"wallets/{address(0)}/", positions=7)
    )
    assert "No trade" not in text(viewer.part(f"wallets/{address(0)}/trades", page=7))


@pytest.mark.parametrize("place", ["zz", "999999999999", "1%20or%201"])
def test_the_history_of_no_configuration_is_404(place: str, viewer: Person) -> None:
    assert viewer.page(f"config/{place}/history/").status_code == 404


def test_a_flag_that_is_not_known_is_told_beside_the_flags(operator: Person) -> None:
    words = text(
        operator.send(
            "params", **params(excluded_flags=["plumbing", "of_another_version"])
        )
    )
    assert "of_another_version" in words.split("Flags that exclude", 1)[1]


def test_a_change_of_a_wallet_stays_typed_where_the_login_has_ended(
    operator: Person,
) -> None:
    WalletFactory(number=1)
    form = {"label": "x", "note": "", "was_label": "", "was_note": ""}
    answer = operator.send(f"wallets/{address(1)}/change", **form)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (
        204,
        f"/admin/discovery/wallets/{address(1)}/",
    )
    operator.client.logout()
    assert operator.send(f"wallets/{address(1)}/change", **form).status_code == 401


def test_who_may_nothing_can_log_out(person, config) -> None:
    page = Person(person(None, is_staff=True)).page().content.decode()
    assert 'action="/admin/logout/"' in page
    assert "csrfmiddlewaretoken" in page
