"""Days of world `living`: time is moved, runs every 6 h, refreshes, outcomes; workers are
killed, the broker is emptied, the market fails for an hour.

`LIVING_DAYS` (1 by default) sets how many; `make living` lets thirty pass.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from discovery.analysis.forward_record import lift
from discovery.models import Outcome, OutcomeToken, Run, ScoreSnapshot, Wallet
from discovery.models.enums import RunStatus, WalletOrigin
from discovery.reads.followed_trades import followed_trades
from discovery.reads.report import DEFAULT_HORIZON_HOURS, report
from simmarket.worlds.expected_followers import growth
from tests.living.days import Days, unchanged
from tests.living.living_market import LivingMarket, Truth, living_market
from tests.living.true_record import true_trades
from tests.runs.workers import environment
from walltrack import clock

DAYS = int(os.environ.get("LIVING_DAYS", "1"))
SEED = os.environ.get("LIVING_SEED", "1")
HOURS_AFTER = 3
"""The outcomes of the first snapshots are due after the last day."""
DAYS_OF_A_LIFT = 20
"""After so many days each arm has wallets and trades enough for a statement."""
SLOT = timedelta(hours=6)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[LivingMarket]:
    with living_market(tmp_path) as running:
        yield running
        stats = running.running.stats()
        assert stats["unhandled_count"] == 0, stats["unhandled"]


@pytest.fixture
def days(market: LivingMarket, tmp_path: Path, settings: Any) -> Iterator[Days]:
    settings.SIMULATED_CLOCK_FILE = str(market.clock)
    settings.MARKET = "simulated"
    settings.REFRESH = settings.REFRESH._replace(calls_per_day=20_000)
    for name, url in market.running.urls().items():
        setattr(settings, name, url)
    env = environment(
        market.running.urls(),
        SIMULATED_CLOCK_FILE=str(market.clock),
        REFRESH_CALLS_PER_DAY="20000",
        PROVIDER_PATIENCE_SECONDS="4",
    )
    passing = Days(market, env, tmp_path, SEED)
    passing.start()
    yield passing
    passing.stop()


def test_the_record_of_some_days_is_whole_and_true(
    days: Days, market: LivingMarket
) -> None:
    days.pass_hours(24 * DAYS + HOURS_AFTER)
    assert "worker killed" in days.accidents
    _assert_slots(days)
    assert days.stale == []
    assert Outcome.objects.due(clock.now() - timedelta(hours=1)).count() == 0
    assert unchanged(days.snapshots)() == []
    assert Wallet.objects.filter(origin=WalletOrigin.CONTROL).exists()
    truth = Truth(market.origin)
    _assert_true(truth)
    for horizon_hours in (24, DEFAULT_HORIZON_HOURS):
        _assert_report(truth, horizon_hours)


def _assert_slots(days: Days) -> None:
    """Each slot has one run, and none is missing."""
    slots = sorted(
        Run.objects.exclude(scheduled_for=None).values_list("scheduled_for", flat=True)
    )
    assert len(slots) == 4 * DAYS + 1
    gaps = {later - earlier for earlier, later in pairwise(slots)}
    assert gaps == {SLOT}
    statuses = Counter(Run.objects.values_list("status", flat=True))
    assert statuses[RunStatus.COMPLETED] >= 4 * DAYS, statuses


def _assert_true(truth: Truth) -> None:
    """Every token of every measured outcome is that of the world; what was sold to the
    end is equal to the lamport.
    """
    measured = Outcome.objects.measured().select_related("snapshot")
    rows = OutcomeToken.objects.all()
    by_outcome: dict[int, dict[str, OutcomeToken]] = {}
    for row in rows:
        by_outcome.setdefault(row.outcome_id, {})[row.mint] = row
    compared = 0
    for outcome in measured.filter(problem=""):
        found = by_outcome.get(outcome.pk, {})
        after = int(outcome.snapshot.at.timestamp())
        until = int(outcome.due_at.timestamp())
        expected = truth.tokens(outcome.snapshot.wallet_address, after, until)
        assert set(found) == set(expected), outcome
        for mint, row in found.items():
            if row.bag_lamports or row.leader_return is None:
                continue
            compared += 1
            own = expected[mint]
            assert row.leader_return == pytest.approx(own.leader.gain, abs=1e-9)
            assert row.follower_return_behind == pytest.approx(
                own.behind.gain, abs=1e-9
            )
            if row.follower_return_late is not None:
                assert row.follower_return_late == pytest.approx(
                    own.late.gain, abs=1e-9
                )
    assert compared > 0
    trades = followed_trades(24)
    assert len({(trade.wallet, trade.mint) for trade in trades}) == len(trades)
    assert all(
        trade.follower_growth is None or trade.follower_growth >= growth(-1)
        for trade in trades
    )
    assert ScoreSnapshot.objects.exists()


def _assert_report(truth: Truth, horizon_hours: int) -> None:
    """The report counts the trades of the world, and its interval holds their lift."""
    expected = true_trades(truth, horizon_hours, clock.now())
    found = {
        (trade.wallet, trade.mint): trade for trade in followed_trades(horizon_hours)
    }
    not_readable = set(
        Outcome.objects.measured()
        .filter(horizon_hours=horizon_hours)
        .exclude(problem="")
        .values_list("snapshot__wallet_address", flat=True)
    )
    assert found.keys() <= expected.keys()
    missing = expected.keys() - found.keys()
    assert {wallet for wallet, _ in missing} <= not_readable
    for key, trade in found.items():
        own = expected[key]
        assert (trade.arm, trade.verdict) == (own.arm, own.verdict)
    shown = report(clock.now(), horizon_hours).lift
    true = lift(expected.values())
    if DAYS >= DAYS_OF_A_LIFT:
        assert shown.lift_stakes is not None
        assert true.lift_stakes is not None
        assert shown.low_stakes <= true.lift_stakes <= shown.high_stakes
