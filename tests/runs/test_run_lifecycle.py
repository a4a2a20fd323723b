"""Runs in the database: start, stages, cancellation, end."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from discovery.domain.run_errors import run_error
from discovery.domain.run_params import Params
from discovery.jobs import run_errors, run_lifecycle, step_queue
from discovery.models import Config, Run, RunStep, RunWallet, Wallet
from discovery.models.enums import RunStatus, StepKind, Trigger
from tests.runs.started_runs import MINT, complete, start, step_of

pytestmark = pytest.mark.django_db


def test_a_started_run_is_queued_with_what_was_asked() -> None:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(max_tokens=7),
            trigger=Trigger.API,
            triggered_by="x" * 150,
            mints=[MINT],
        )
    )
    run.refresh_from_db()
    assert (
        run.status,
        run.stage,
        run.trigger_type,
        run.params.max_tokens,
        run.given_mints,
    ) == (
        "queued",
        "queued",
        "api",
        7,
        [MINT],
    )
    assert len(run.triggered_by) == 100


def test_a_second_start_is_refused_with_the_id_of_the_active_run() -> None:
    run = start()
    with pytest.raises(run_lifecycle.RunAlreadyActive) as refused:
        start()
    assert refused.value.run_id == run.pk
    assert Run.objects.count() == 1


def test_a_closed_run_frees_the_way() -> None:
    run_lifecycle.close(start().pk, RunStatus.COMPLETED)
    assert start().status == "queued"


def test_a_run_whose_worker_died_is_closed_and_does_not_block() -> None:
    dead = start()
    Run.objects.filter(pk=dead.pk).update(
        heartbeat_at=timezone.now() - timedelta(seconds=91)
    )
    assert start().pk != dead.pk
    dead.refresh_from_db()
    assert dead.status == "failed"
    assert dead.errors[-1]["code"] == "interrupted"


def test_a_run_that_still_beats_is_left_alone() -> None:
    run = start()
    Run.objects.filter(pk=run.pk).update(
        heartbeat_at=timezone.now() - timedelta(seconds=80)
    )
    assert run_lifecycle.close_abandoned_runs() == 0


def test_a_run_that_the_earlier_system_left_running_is_closed_as_interrupted() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, trigger_type, errors) VALUES (now(), 'manual', NULL) RETURNING id"
        )
        (earlier,) = cursor.fetchone()
    start()
    run = Run.objects.get(pk=earlier)
    assert run.status == "failed"
    assert [error["message"] for error in run.errors] == [
        "interrupted before the upgrade"
    ]


def test_errors_of_two_writers_are_both_kept_after_plain_strings() -> None:
    run = start()
    Run.objects.filter(pk=run.pk).update(errors=["an earlier line"])
    run_errors.append_errors(run.pk, [run_error("a", "x", "first")])
    run_errors.append_errors(run.pk, [run_error("b", "y", "second")])
    run.refresh_from_db()
    assert run.errors[0] == "an earlier line"
    assert [error["message"] for error in run.errors[1:]] == ["first", "second"]


def test_a_run_is_closed_once() -> None:
    run = start()
    assert run_lifecycle.close(run.pk, RunStatus.COMPLETED)
    assert not run_lifecycle.close(
        run.pk, RunStatus.FAILED, [run_error("run", "late", "too late")]
    )
    run.refresh_from_db()
    assert (run.status, run.errors) == ("completed", [])


def test_a_null_of_an_earlier_configuration_means_the_default() -> None:
    config = Config.load()
    config.max_tokens = config.min_profit_pct = None
    assert config.params.max_tokens == Params().max_tokens
    assert config.params.min_profit_pct == Params().min_profit_pct


def test_a_cancel_ends_a_run_at_once_where_no_step_is_at_work() -> None:
    run = start()
    assert run_lifecycle.request_cancel(run.pk)
    run.refresh_from_db()
    assert (run.status, run.errors[-1]["code"]) == ("cancelled", "cancelled")
    assert not run_lifecycle.request_cancel(run.pk)


def test_a_cancel_does_not_wait_for_ever_for_a_worker_that_is_gone() -> None:
    run = start()
    assert step_queue.claim_step(step_of(run), "a") is not None
    run_lifecycle.request_cancel(run.pk)
    run.refresh_from_db()
    assert run.status == "queued"  # until its running step stops
    Run.objects.update(cancel_requested_at=timezone.now() - timedelta(seconds=11))
    run_lifecycle.advance(run.pk)
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_last_step_of_a_stage_begins_the_next_one_once() -> None:
    run = start()
    claim = step_queue.claim_step(step_of(run), "a")
    assert claim is not None
    complete(claim, {}, {})
    for _ in range(3):
        run_lifecycle.advance(run.pk)
    run.refresh_from_db()
    assert (run.stage, run.steps.filter(kind="finish").count()) == ("finish", 1)


def test_the_same_request_answers_the_same_run_and_another_one_is_refused() -> None:
    asked = {"trigger": Trigger.API, "triggered_by": "key", "idempotency_key": "k1"}
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(params=Params(), **asked, idempotency_hash="a")
    )
    assert (
        run_lifecycle.start(
            run_lifecycle.RunRequest(params=Params(), **asked, idempotency_hash="a")
        ).pk
        == run.pk
    )
    with pytest.raises(run_lifecycle.IdempotencyKeyReused):
        run_lifecycle.start(
            run_lifecycle.RunRequest(params=Params(), **asked, idempotency_hash="b")
        )


def test_a_slot_runs_once() -> None:
    slot = timezone.now()
    first = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(),
            trigger=Trigger.SCHEDULED,
            triggered_by="scheduler",
            scheduled_for=slot,
        )
    )
    run_lifecycle.close(first.pk, RunStatus.COMPLETED)
    with pytest.raises(run_lifecycle.SlotTaken):
        run_lifecycle.start(
            run_lifecycle.RunRequest(
                params=Params(),
                trigger=Trigger.SCHEDULED,
                triggered_by="scheduler",
                scheduled_for=slot,
            )
        )


def test_a_plain_insert_as_the_earlier_system_made_it_still_works() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, trigger_type) VALUES (now(), 'scheduled')"
            " RETURNING id, status, errors"
        )
        run_id, status, errors = cursor.fetchone()
        cursor.execute(
            "INSERT INTO discovery_run_wallets (run_id, wallet_address, source_token) VALUES (%s, 'w', 't')",
            [run_id],
        )
    assert isinstance(run_id, uuid.UUID)
    assert (status, json.loads(errors)) == ("running", [])


def test_a_run_closed_as_dead_is_counted_and_its_steps_are_closed() -> None:
    dead = start()
    step_queue.add_steps(dead.pk, StepKind.TOKEN, [MINT])
    wallet = Wallet.objects.create(address=MINT, first_run=dead)
    RunWallet.objects.create(
        run=dead, wallet_address=MINT, source_token=MINT, is_new=True, row_version=1
    )
    Run.objects.filter(pk=dead.pk).update(
        heartbeat_at=timezone.now() - timedelta(seconds=91)
    )
    assert run_lifecycle.close_abandoned_runs() == 1
    dead.refresh_from_db()
    wallet.refresh_from_db()
    assert (dead.status, dead.stage, dead.new_wallets, wallet.discovery_count) == (
        "failed",
        "done",
        1,
        1,
    )
    assert dead.duration_seconds is not None
    assert set(RunStep.objects.values_list("status", flat=True)) == {"failed"}


def test_a_run_of_workers_waits_for_them_however_long() -> None:
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.MANUAL, triggered_by="ana"
        )
    )
    Run.objects.filter(pk=run.pk).update(
        heartbeat_at=timezone.now() - timedelta(days=1)
    )
    assert run_lifecycle.close_abandoned_runs() == 0
