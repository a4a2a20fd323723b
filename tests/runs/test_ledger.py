"""The life of runs and steps in the database."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from discovery.analysis.params import Params
from discovery.domain.findings import Candidate
from discovery.models import (
    DiscoveryConfig,
    DiscoveryRun,
    DiscoveryRunStep,
    DiscoveryRunWallet,
    DiscoveryWallet,
)
from discovery.models.choices import RunStatus, StepKind, Trigger
from discovery.runs import ledger, steps, store
from discovery.runs.analyse_token import TokenResult

pytestmark = pytest.mark.django_db
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"


def start() -> DiscoveryRun:
    return ledger.start(Params(), trigger=Trigger.MANUAL, triggered_by="ana")


def test_a_started_run_is_queued_with_what_was_asked() -> None:
    run = ledger.start(Params(max_tokens=7), trigger=Trigger.API, triggered_by="x" * 150, mints=[MINT])
    run.refresh_from_db()
    assert (run.status, run.stage, run.trigger_type, run.max_tokens, run.given_mints) == (
        "queued",
        "queued",
        "api",
        7,
        [MINT],
    )
    assert len(run.triggered_by) == 100


def test_a_second_start_is_refused_with_the_id_of_the_active_run() -> None:
    run = start()
    with pytest.raises(ledger.ActiveRun) as refused:
        start()
    assert refused.value.run_id == run.pk
    assert DiscoveryRun.objects.count() == 1


def test_a_closed_run_frees_the_way() -> None:
    ledger.close(start(), RunStatus.COMPLETED, usage={}, funnel={})
    assert start().status == "queued"


def test_a_run_whose_worker_died_is_closed_and_does_not_block() -> None:
    dead = start()
    DiscoveryRun.objects.filter(pk=dead.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=91))
    assert start().pk != dead.pk
    dead.refresh_from_db()
    assert dead.status == "failed"
    assert dead.errors[-1]["code"] == "interrupted"


def test_a_run_that_still_beats_is_left_alone() -> None:
    run = start()
    DiscoveryRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=80))
    assert ledger.close_dead_runs() == 0


def test_a_run_the_earlier_system_left_running_does_not_block_and_is_closed_as_interrupted() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, trigger_type, errors) VALUES (now(), 'manual', NULL) RETURNING id"
        )
        (earlier,) = cursor.fetchone()
    start()
    run = DiscoveryRun.objects.get(pk=earlier)
    assert run.status == "failed"
    assert [error["message"] for error in run.errors] == ["interrupted before the upgrade"]


def test_errors_of_two_writers_are_both_kept_after_plain_strings() -> None:
    run = start()
    DiscoveryRun.objects.filter(pk=run.pk).update(errors=["an earlier line"])
    ledger.add_errors(run.pk, [ledger.error("a", "x", "first")])
    ledger.add_errors(run.pk, [ledger.error("b", "y", "second")])
    run.refresh_from_db()
    assert run.errors[0] == "an earlier line"
    assert [error["message"] for error in run.errors[1:]] == ["first", "second"]


def test_a_run_is_closed_once() -> None:
    run = start()
    ledger.close(run, RunStatus.COMPLETED, usage={}, funnel={})
    ledger.close(run, RunStatus.FAILED, usage={}, funnel={"late": 1})
    run.refresh_from_db()
    assert (run.status, run.funnel) == ("completed", {})


def test_a_null_of_an_earlier_configuration_means_the_default() -> None:
    config = DiscoveryConfig.load()
    config.max_tokens = config.min_profit_pct = None
    assert ledger.saved_params(config).max_tokens == Params().max_tokens
    assert ledger.saved_params(config).min_profit_pct == Params().min_profit_pct


def test_a_step_is_claimed_by_one() -> None:
    run = start()
    steps.add(run.pk, StepKind.TOKEN, [MINT])
    steps.add(run.pk, StepKind.TOKEN, [MINT])
    assert [steps.claim(run.pk, StepKind.TOKEN, MINT, name) for name in ("a", "b")] == [True, False]
    assert DiscoveryRunStep.objects.get().claimed_by == "a"


def test_a_step_is_tried_three_times_and_then_failed() -> None:
    run = start()
    steps.add(run.pk, StepKind.TOKEN, [MINT])
    again = []
    while steps.claim(run.pk, StepKind.TOKEN, MINT, "a"):
        again.append(steps.give_back(run.pk, StepKind.TOKEN, MINT, "down", retry=True))
    assert again == [True, True, False]
    step = DiscoveryRunStep.objects.get()
    assert (step.status, step.attempt, step.error) == ("failed", 3, "down")
    run.refresh_from_db()
    assert run.steps_done == 1


def test_a_completed_step_cannot_be_completed_again() -> None:
    run = start()
    steps.add(run.pk, StepKind.TOKEN, [MINT])
    steps.claim(run.pk, StepKind.TOKEN, MINT, "a")
    assert steps.complete(run.pk, StepKind.TOKEN, MINT, {"early_buyers": 3})
    assert not steps.complete(run.pk, StepKind.TOKEN, MINT, {})
    run.refresh_from_db()
    assert run.steps_done == 1


def test_a_beat_keeps_the_usage_and_hears_a_cancel() -> None:
    run = start()
    assert ledger.beat(run.pk, {"helius": {"calls": 3}}) is False
    DiscoveryRun.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now())
    assert ledger.beat(run.pk, {}) is True


def test_a_plain_insert_as_the_earlier_system_made_it_still_works() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, trigger_type) VALUES (now(), 'scheduled')"
            " RETURNING id, status, errors"
        )
        run_id, status, errors = cursor.fetchone()
        cursor.execute(
            "INSERT INTO discovery_run_wallets (run_id, wallet_address, source_token) VALUES (%s, 'w', 't')", [run_id]
        )
    assert isinstance(run_id, uuid.UUID)
    assert (status, json.loads(errors)) == ("running", [])


def test_a_run_closed_as_dead_is_counted_and_its_steps_are_closed() -> None:
    dead = start()
    steps.add(dead.pk, StepKind.TOKEN, [MINT])
    wallet = DiscoveryWallet.objects.create(address=MINT, first_run=dead)
    DiscoveryRunWallet.objects.create(run=dead, wallet_address=MINT, source_token=MINT, is_new=True, row_version=1)
    DiscoveryRun.objects.filter(pk=dead.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=91))
    assert ledger.close_dead_runs() == 1
    dead.refresh_from_db()
    wallet.refresh_from_db()
    assert (dead.status, dead.stage, dead.new_wallets, wallet.discovery_count) == ("failed", "done", 1, 1)
    assert dead.duration_seconds is not None
    assert DiscoveryRunStep.objects.get().status == "failed"


def test_a_run_that_was_closed_as_dead_takes_no_findings_and_is_told_to_end() -> None:
    run = start()
    ledger.close(run, RunStatus.FAILED, usage={}, funnel={})
    result = TokenResult(Candidate(MINT), None, "", [], [], 0, {})
    assert store.store_token(run.pk, result) is False
    assert ledger.beat(run.pk, {}) is True
