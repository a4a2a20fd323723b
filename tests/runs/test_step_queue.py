"""Steps of a run in the database: claims, retries, heartbeats, completion."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from discovery.domain.findings import Candidate
from discovery.domain.run_params import Params
from discovery.jobs import run_lifecycle, step_queue, step_reaper
from discovery.jobs.step_queue import StepUsage
from discovery.models import Run, RunStep
from discovery.models.enums import RunStatus, StepKind, Trigger
from discovery.pipeline import save_token
from discovery.pipeline.analyse_token import TokenAnalysis
from tests.runs.started_runs import MINT, complete, start, step_of

pytestmark = pytest.mark.django_db


def test_a_started_run_has_the_search_as_its_first_step() -> None:
    step = start().steps.get()
    assert (step.kind, step.key, step.status, step.attempt) == (
        "find",
        "",
        "pending",
        0,
    )


def test_a_step_is_claimed_by_one() -> None:
    step = step_of(start())
    assert [step_queue.claim_step(step, name) is not None for name in ("a", "b")] == [
        True,
        False,
    ]
    assert RunStep.objects.get().claimed_by.startswith("a:")


def test_a_step_that_exists_is_not_added_again() -> None:
    run = start()
    for _ in range(2):
        step_queue.add_steps(run.pk, StepKind.TOKEN, [MINT])
    assert run.steps.filter(kind="token").count() == 1


def test_a_step_is_tried_three_times_and_then_failed() -> None:
    step_id = step_of(start())
    failed = []
    while claim := step_queue.claim_step(step_id, "a"):
        failed.append(
            step_queue.fail_or_retry(
                claim, {}, code="server_failed", cause="down", is_retryable=True
            )
        )
    assert failed == [False, False, True]
    step = RunStep.objects.get()
    assert (step.status, step.attempt, step.error, step.error_code) == (
        "failed",
        3,
        "down",
        "server_failed",
    )


def test_a_step_given_back_with_a_pause_is_not_to_be_had_before_its_end() -> None:
    step_id = step_of(start())
    claim = step_queue.claim_step(step_id, "a")
    assert claim is not None
    step_queue.fail_or_retry(
        claim, {}, code="x", cause="y", is_retryable=True, pause_seconds=60
    )
    assert step_queue.claim_step(step_id, "b") is None
    RunStep.objects.update(available_at=F("available_at") - timedelta(seconds=61))
    assert step_queue.claim_step(step_id, "b") is not None


def test_a_completed_step_cannot_be_completed_again() -> None:
    claim = step_queue.claim_step(step_of(start()), "a")
    assert claim is not None
    assert complete(claim, {"tokens": 3}, {})
    assert not complete(claim, {}, {})


def test_who_lost_the_claim_can_neither_complete_nor_give_back_the_step() -> None:
    step_id = step_of(start())
    lost = step_queue.claim_step(step_id, "a")
    assert lost is not None
    assert step_queue.release_worker("a") == 1
    other = step_queue.claim_step(step_id, "b")
    assert other is not None
    assert other.attempt == 1  # being told to go is no failed attempt
    assert not step_queue.heartbeat([StepUsage(lost, {})])
    assert not complete(lost, {}, {})
    assert not step_queue.fail_or_retry(
        lost, {}, code="x", cause="y", is_retryable=False
    )
    assert complete(other, {}, {})


def test_a_step_of_a_dead_worker_goes_to_another_one_and_fails_after_three() -> None:
    run = start()
    step_id = step_of(run)
    spent = []
    for _ in range(3):
        assert step_queue.claim_step(step_id, "a") is not None
        assert step_reaper.reap(run.pk) == []  # its heartbeat is fresh
        RunStep.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=91))
        spent += step_reaper.reap(run.pk)
    assert [step.pk for step in spent] == [step_id]
    assert RunStep.objects.get().status == "failed"


def test_what_earlier_attempts_used_is_kept() -> None:
    step_id = step_of(start())
    used = {"helius": {"calls": 2, "credits": 20, "rate_limited": 0}}
    first = step_queue.claim_step(step_id, "a")
    assert first is not None
    step_queue.fail_or_retry(first, used, code="x", cause="y", is_retryable=True)
    second = step_queue.claim_step(step_id, "a")
    assert second is not None
    complete(second, {}, used)
    assert RunStep.objects.get().usage == {
        "helius": {"calls": 4, "credits": 40, "rate_limited": 0}
    }


def test_a_beat_keeps_the_usage_and_hears_a_cancel() -> None:
    run = start()
    claim = step_queue.claim_step(step_of(run), "a")
    assert claim is not None
    assert step_queue.heartbeat([StepUsage(claim, {"helius": {"calls": 3}})]) is True
    assert run.steps.get().usage["helius"]["calls"] == 3
    run_lifecycle.request_cancel(run.pk)
    assert step_queue.heartbeat([StepUsage(claim, {})]) is False


def test_a_run_with_a_limit_of_calls_works_on_one_step_at_a_time() -> None:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(max_requests_per_run=100),
            trigger=Trigger.MANUAL,
            triggered_by="ana",
        )
    )
    step_queue.add_steps(run.pk, StepKind.TOKEN, [MINT])
    first, second = run.steps.order_by("pk").values_list("pk", flat=True)
    claim = step_queue.claim_step(first, "a")
    assert claim is not None
    assert step_queue.claim_step(second, "b") is None
    complete(claim, {}, {})
    assert step_queue.claim_step(second, "b") is not None


def test_a_run_that_was_closed_as_dead_takes_no_findings_and_is_told_to_end() -> None:
    run = start()
    step_queue.add_steps(run.pk, StepKind.TOKEN, [MINT])
    claim = step_queue.claim_step(run.steps.get(kind="token").pk, "a")
    assert claim is not None
    run_lifecycle.close(run.pk, RunStatus.FAILED)
    result = TokenAnalysis(Candidate(MINT), None, "", [], [], [], 0, {})
    with (
        pytest.raises(step_queue.ClaimLost),
        step_queue.completion(claim, counts={}, usage={}),
    ):
        save_token.save_token(run.pk, result)
    assert step_queue.heartbeat([StepUsage(claim, {})]) is False


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["token", "find"])
def test_a_step_given_up_because_its_workers_died_is_told_by_the_run(kind: str) -> None:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test"
        )
    )
    if kind == "token":
        run.steps.update(status="done", completed_at=timezone.now())
        Run.objects.filter(pk=run.pk).update(status="running", stage="analyse")
        step_queue.add_steps(run.pk, StepKind.TOKEN, [MINT])
    run.steps.exclude(status="done").update(
        status="running",
        attempt=3,
        claimed_by="w:1",
        heartbeat_at=timezone.now() - timedelta(hours=1),
    )
    step_reaper.reap(run.pk)
    (errors,) = run.steps.filter(status="failed").values_list("errors", flat=True)
    assert errors[0]["code"] == "worker_died"
    assert "3 times" in errors[0]["message"]
