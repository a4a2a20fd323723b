"""Which wallets are read again and when, within a budget of calls."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from discovery.jobs import upkeep
from discovery.jobs.step_runner import run_step
from discovery.models import Outcome, RunStep, ScoreSnapshot, Wallet
from discovery.models.enums import (
    SnapshotArm,
    StepKind,
    StepStatus,
    VerdictChoice,
    WalletOrigin,
    WalletStatus,
)
from tests.factories import WalletFactory, address

HOUR = timedelta(hours=1)
WORLD = ("--world", "small", "--seed", "2")

pytestmark = pytest.mark.django_db


def wallet(number: int, hours: float, verdict: str = "neutral", **values: Any) -> str:
    profiled_at = timezone.now() - hours * HOUR
    WalletFactory(number=number, profiled_at=profiled_at, verdict=verdict, **values)
    return address(number)


def planned(kind: StepKind = StepKind.REFRESH) -> list[str]:
    upkeep.plan_upkeep()
    steps = RunStep.objects.lone().filter(kind=kind).order_by("pk")
    return [address for step in steps for address in step.payload["wallets"]]


def snapshot(number: int, *, days_ago: float, **values: Any) -> ScoreSnapshot:
    return ScoreSnapshot.objects.create(
        wallet_address=address(number),
        at=timezone.now() - timedelta(days=days_ago),
        cause="first",
        arm=values.pop("arm", SnapshotArm.FOUND),
        score_version=2,
        verdict="follow",
        tokens=5,
        effective_tokens=4,
        **values,
    )


def outcome(of: ScoreSnapshot, days: int) -> Outcome:
    return Outcome.objects.create(
        snapshot=of, horizon_hours=24 * days, due_at=of.at + timedelta(days=days)
    )


@pytest.mark.parametrize(
    ("verdict", "hours", "is_due"),
    [
        (VerdictChoice.FOLLOW, 5, False),
        (VerdictChoice.FOLLOW, 7, True),
        (VerdictChoice.WATCH, 23, False),
        (VerdictChoice.WATCH, 25, True),
        (VerdictChoice.NEUTRAL, 6 * 24, False),
        (VerdictChoice.NEUTRAL, 8 * 24, True),
        (VerdictChoice.NOT_KNOWN, 8 * 24, True),
    ],
)
def test_a_wallet_is_due_when_its_profile_is_older_than_the_rule_of_its_verdict(
    verdict: str, hours: int, is_due: bool
) -> None:
    due = wallet(1, hours, verdict)
    assert planned() == ([due] if is_due else [])


def test_a_pinned_wallet_follows_the_rule_of_wallets_to_follow() -> None:
    assert planned() == []
    pinned = wallet(1, 7, is_pinned=True)
    assert planned() == [pinned]


def test_blacklisted_and_control_wallets_are_not_refreshed() -> None:
    wallet(1, 900, status=WalletStatus.BLACKLISTED)
    wallet(2, 900, origin=WalletOrigin.CONTROL)
    assert planned() == []


def test_the_most_valuable_come_first_then_the_oldest() -> None:
    other = wallet(1, 900)
    newer = wallet(2, 20, "follow")
    older = wallet(3, 30, "follow")
    watch = wallet(4, 800, "watch")
    assert planned() == [older, newer, watch, other]


def test_a_wallet_in_an_open_step_is_not_planned_twice() -> None:
    wallet(1, 900)
    assert planned() == planned()


def test_a_wallet_that_could_not_be_read_waits_an_hour() -> None:
    failed = wallet(1, 900, profile_error="503", refreshed_at=timezone.now() - HOUR / 2)
    assert planned() == []
    Wallet.objects.update(refreshed_at=timezone.now() - 2 * HOUR)
    assert planned() == [failed]


def test_the_wallets_of_a_step_that_failed_wait_an_hour() -> None:
    wallet(1, 900)
    planned()
    RunStep.objects.update(status=StepStatus.FAILED)
    assert upkeep.plan_upkeep() == 0
    assert upkeep.plan_upkeep(timezone.now() + 2 * HOUR) == 1


def test_the_calls_of_a_day_are_not_exceeded(settings: Any) -> None:
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=48)
    for number in range(1, 60):
        wallet(number, 900)
    total = 0
    for _ in range(24):
        total += upkeep.plan_upkeep()
        for step in RunStep.objects.open():
            calls = 2 * len(step.payload["wallets"])
            step.usage = {"helius": {"calls": calls, "credits": 0, "rate_limited": 0}}
            step.status = StepStatus.DONE
            step.payload["planned_at"] -= 3600
            step.save()
        RunStep.objects.update()
    assert total == 24


def test_an_hour_uses_at_most_twice_its_share_of_the_day(settings: Any) -> None:
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=480)
    for number in range(1, 100):
        wallet(number, 900)
    assert upkeep.plan_upkeep() == 480 * 2 // 24 // 2


def test_without_a_budget_nothing_is_planned(settings: Any) -> None:
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=0)
    wallet(1, 900)
    outcome(snapshot(1, days_ago=2), days=1)
    assert upkeep.plan_upkeep() == 0


def test_a_due_outcome_is_planned_also_of_a_wallet_that_needs_no_refresh() -> None:
    fresh = wallet(1, 1)
    outcome(snapshot(1, days_ago=2), days=1)
    outcome(snapshot(1, days_ago=2), days=7)
    assert planned(StepKind.OUTCOMES) == [fresh]


def test_an_outcome_of_a_control_wallet_is_planned() -> None:
    control = wallet(1, 900, origin=WalletOrigin.CONTROL)
    outcome(snapshot(1, days_ago=2, arm=SnapshotArm.CONTROL), days=1)
    assert planned(StepKind.OUTCOMES) == [control]


def run_open_steps() -> None:
    for step_id in RunStep.objects.lone().open().values_list("pk", flat=True):
        async_to_sync(run_step)(step_id, "test")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_a_step_refreshes_its_wallets_and_measures_what_is_due(
    source: str, use_market: Callable, discover: Callable, settings: Any
) -> None:
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=100_000)
    use_market(*WORLD, source=source)
    discover(profiles=True)
    watched = Wallet.objects.listed()
    watched.update(profiled_at=timezone.now() - 30 * 24 * HOUR)
    of = ScoreSnapshot.objects.filter(wallet_address__in=watched.values("pk")).first()
    due = outcome(snapshot_of(of, days_ago=10), days=7)
    upkeep.plan_upkeep()
    run_open_steps()
    steps = RunStep.objects.lone()
    assert set(steps.values_list("status", "error")) == {(StepStatus.DONE, "")}
    assert watched.filter(profiled_at__lt=timezone.now() - HOUR).count() == 0
    due.refresh_from_db()
    assert due.measured_at is not None
    assert due.problem == ""
    assert due.tokens == due.results.count()
    assert due.stopped == (due.tokens == 0 and not due.trades)


def snapshot_of(row: ScoreSnapshot, *, days_ago: float) -> ScoreSnapshot:
    row.pk = None
    row.at = timezone.now() - timedelta(days=days_ago)
    row._state.adding = True
    row.save()
    return row
