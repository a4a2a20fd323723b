"""Wallets of a run that are claimed together: each keeps an end of its own."""

from collections.abc import Callable

import pytest
from django.db import DataError
from django.db.models.functions import Now

from discovery.domain.run_params import Params
from discovery.jobs import heartbeats, run_lifecycle, step_queue, step_reaper
from discovery.jobs.step_queue import Claim, Completed, StepUsage
from discovery.jobs.worker_places import WALLETS_AT_ONCE, leaders, room_for_run
from discovery.models import Run, RunStep, Wallet
from discovery.models.enums import StepKind, StepStatus, Trigger
from discovery.pipeline import save_profile
from tests.factories import address
from tests.runs.started_runs import start

pytestmark = pytest.mark.django_db(transaction=True)


def add_wallets(run: Run, count: int) -> list[int]:
    """The ids of so many pending wallet steps."""
    run.steps.update(status=StepStatus.DONE, completed_at=Now())
    Run.objects.filter(pk=run.pk).update(status="running", stage="profile")
    step_queue.add_steps(run.pk, StepKind.WALLET, map(address, range(count)))
    pending = run.steps.filter(kind=StepKind.WALLET).order_by("pk")
    return list(pending.values_list("pk", flat=True))


def claim_together(step_id: int, maximum: int) -> list[Claim]:
    claim = step_queue.claim_step(step_id, "a")
    assert claim is not None
    return [claim, *step_queue.claim_siblings(claim, maximum)]


def test_the_wallets_that_follow_are_claimed_under_one_token() -> None:
    ids = add_wallets(start(), 5)
    claims = claim_together(ids[1], 2)
    assert [claim.id for claim in claims] == ids[1:4]
    assert len({claim.token for claim in claims}) == 1
    assert {claim.attempt for claim in claims} == {1}


def test_a_wallet_that_was_sent_to_a_worker_is_left_to_it() -> None:
    ids = add_wallets(start(), 3)
    RunStep.objects.filter(pk=ids[1]).update(enqueued_at=Now())
    assert [claim.id for claim in claim_together(ids[0], 7)] == [ids[0], ids[2]]


def test_a_heartbeat_stores_the_usage_of_each() -> None:
    ids = add_wallets(start(), 2)
    first, second = claim_together(ids[0], 1)
    calls = [{"helius": {"calls": 3}}, {"helius": {"calls": 5}}]
    usages = [StepUsage(first, calls[0]), StepUsage(second, calls[1])]
    assert step_queue.heartbeat(usages) is True
    stored = RunStep.objects.filter(pk__in=ids).order_by("pk")
    assert [step.usage["helius"]["calls"] for step in stored] == [3, 5]


def test_only_those_that_are_held_are_completed() -> None:
    ids = add_wallets(start(), 2)
    claims = claim_together(ids[0], 1)
    RunStep.objects.filter(pk=ids[1]).update(claimed_by="another")
    done = [Completed(claim, {"cycles": 1}, {}) for claim in claims]
    with step_queue.completions(done) as held:
        assert held == {ids[0]}
    statuses = RunStep.objects.filter(pk__in=ids).order_by("pk")
    assert [step.status for step in statuses] == ["done", "running"]


def test_the_wallets_of_a_dead_worker_all_return_to_the_queue() -> None:
    run = start()
    ids = add_wallets(run, 3)
    claim_together(ids[0], 2)
    RunStep.objects.filter(pk__in=ids).update(heartbeat_at="2020-01-01T00:00Z")
    assert step_reaper.reap(run.pk) == []
    assert RunStep.objects.pending().filter(pk__in=ids).count() == 3


def test_of_wallets_every_eighth_is_sent_and_of_others_each() -> None:
    wallets = [(number, str(StepKind.WALLET)) for number in range(17)]
    tokens = [(number, str(StepKind.TOKEN)) for number in range(20, 23)]
    chosen = leaders([*wallets, *tokens], has_call_limit=False)
    assert [step_id for step_id, _ in chosen] == [0, 8, 16, 20, 21, 22]


def test_with_a_limit_of_calls_each_wallet_is_sent() -> None:
    wallets = [(number, str(StepKind.WALLET)) for number in range(3)]
    assert leaders(wallets, has_call_limit=True) == wallets


def test_wallets_that_were_claimed_together_take_one_place() -> None:
    heartbeats.write_heartbeat("worker:test:1", {"concurrency": 4})
    run = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test"
        )
    )
    ids = add_wallets(run, 2 * WALLETS_AT_ONCE)
    claim_together(ids[0], WALLETS_AT_ONCE - 1)
    assert room_for_run(run) == 2


def test_data_that_cannot_be_stored_costs_its_own_wallet_only(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_market("--world", "small", "--seed", "2")
    refused: list[str] = []
    save = save_profile.save_profiles

    def save_but_one(results: list) -> None:
        refused[:] = refused or [results[0].address]
        if refused[0] in {result.address for result in results}:
            raise DataError("value out of range")
        save(results)

    monkeypatch.setattr("discovery.jobs.wallet_steps.save_profiles", save_but_one)
    answer = discover("--max-tokens=3", profiles=True)
    failed = RunStep.objects.filter(kind=StepKind.WALLET, status=StepStatus.FAILED)
    assert list(failed.values_list("key", flat=True)) == refused
    assert [error["step"] for error in answer["errors"]] == [f"wallet {refused[0]}"]
    assert (
        Wallet.objects.profiled().count()
        == failed.model.objects.filter(
            kind=StepKind.WALLET, status=StepStatus.DONE
        ).count()
    )
