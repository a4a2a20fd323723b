"""The report of the forward record from stored outcomes."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from discovery.analysis.evidence import growth
from discovery.models import Config, Outcome, OutcomeToken, ScoreSnapshot
from discovery.reads.followed_trades import followed_trades
from discovery.reads.report import report
from tests.factories import (
    MINT,
    NOW,
    FollowSnapshotFactory,
    OutcomeFactory,
    OutcomeTokenFactory,
    PositionFactory,
    RunFactory,
    address,
)
from tests.forward_rows import create_record

pytestmark = pytest.mark.django_db
WEEK = 7 * 24
QUERIES = 5
START = NOW - timedelta(days=20)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def snapshot(**values: Any) -> ScoreSnapshot:
    return FollowSnapshotFactory(**{"at": START, **values})


def entered(
    of: ScoreSnapshot, at: Any, *, horizon_hours: int = WEEK, **values: Any
) -> OutcomeToken:
    """A token that the wallet entered, as the outcome of a snapshot has it."""
    outcome, _ = Outcome.objects.get_or_create(
        snapshot=of,
        horizon_hours=horizon_hours,
        defaults={"due_at": of.at + hours(horizon_hours), "measured_at": NOW},
    )
    token: OutcomeToken = OutcomeTokenFactory(outcome=outcome, entry_at=at, **values)
    return token


def test_a_trade_belongs_to_the_snapshot_that_stood_at_the_entry() -> None:
    first = snapshot(score="0.8")
    second = snapshot(score="0.95", at=START + hours(24))
    for of in (first, second):
        entered(of, START + hours(30))
    (trade,) = followed_trades(WEEK)
    assert trade.score == 0.95


def test_a_trade_before_the_next_snapshot_belongs_to_the_first() -> None:
    first = snapshot(score="0.8")
    snapshot(score="0.95", at=START + hours(24))
    entered(first, START + hours(20))
    (trade,) = followed_trades(WEEK)
    assert trade.score == 0.8


def test_nobody_follows_a_wallet_whose_standing_judgement_was_not_measured() -> None:
    first = snapshot()
    snapshot(verdict="neutral", at=START + hours(24))
    entered(first, START + hours(30))
    assert followed_trades(WEEK) == []


def test_of_two_snapshots_of_one_moment_the_last_written_stands() -> None:
    for score in ("0.8", "0.95"):
        entered(snapshot(score=score), START + hours(1))
    assert [trade.score for trade in followed_trades(WEEK)] == [0.95]


def test_a_wallet_that_was_neutral_is_not_followed() -> None:
    entered(snapshot(verdict="neutral"), START + hours(1))
    found = report(NOW)
    assert len(followed_trades(WEEK)) == 1
    assert (found.lift.found.trades, found.lift.found.unknown_trades) == (0, 0)


def test_a_control_wallet_counts_with_any_verdict() -> None:
    entered(snapshot(verdict="avoid", arm="control"), START + hours(1))
    assert report(NOW).lift.control.trades == 1


def test_a_wallet_added_by_hand_is_in_neither_group() -> None:
    entered(snapshot(arm="manual"), START + hours(1))
    assert followed_trades(WEEK) == []


def test_a_token_entered_twice_counts_once_by_its_first_entry() -> None:
    first = snapshot()
    second = snapshot(at=START + hours(24))
    entered(second, START + hours(30), follower_return_behind=9.0)
    entered(first, START + hours(2), follower_return_behind=0.2)
    (trade,) = followed_trades(WEEK)
    assert trade.follower_growth == growth(0.2)


def test_two_wallets_in_one_token_are_two_trades() -> None:
    for wallet in (1, 2):
        entered(snapshot(wallet=wallet), START + hours(1))
    assert {trade.wallet for trade in followed_trades(WEEK)} == {address(1), address(2)}


def test_an_outcome_that_was_not_measured_yet_has_no_trade() -> None:
    row = entered(snapshot(), START + hours(1))
    Outcome.objects.filter(pk=row.outcome_id).update(measured_at=None)
    assert followed_trades(WEEK) == []


def test_the_closest_prices_that_were_seen_count() -> None:
    entered(snapshot(), START + hours(1), follower_return_late=-0.3)
    (trade,) = followed_trades(WEEK)
    assert (trade.follower_growth, trade.level) == (growth(-0.3), 2)


def test_an_unknown_result_is_counted_apart() -> None:
    of = snapshot()
    entered(of, START + hours(1))
    entered(
        of,
        START + hours(2),
        mint=address(900),
        leader_return=None,
        follower_return_costs=None,
        follower_return_behind=None,
        unknown_reason="unmatched",
    )
    arm = report(NOW).lift.found
    assert (arm.trades, arm.unknown_trades) == (1, 1)


def test_horizons_are_apart() -> None:
    of = snapshot()
    entered(of, START + hours(1), horizon_hours=24, follower_return_behind=0.1)
    entered(of, START + hours(1), follower_return_behind=0.7)
    growths = [
        [trade.follower_growth for trade in followed_trades(horizon)]
        for horizon in (24, WEEK, 14 * 24)
    ]
    assert growths == [[growth(0.1)], [growth(0.7)], []]


def test_the_last_measurement_is_that_of_the_horizon() -> None:
    of = snapshot()
    for horizon, after in ((24, 30), (WEEK, 200)):
        OutcomeFactory(
            snapshot=of, horizon_hours=horizon, measured_at=START + hours(after)
        )
    times = [report(NOW, horizon).as_of for horizon in (24, WEEK, 14 * 24)]
    assert times == [START + hours(30), START + hours(200), None]


def test_outcomes_are_counted_by_what_became_of_them() -> None:
    of = snapshot(at=NOW - hours(100))
    states: tuple[dict[str, Any], ...] = (
        {"measured_at": NOW, "stopped": True},
        {"measured_at": NOW, "problem": "the history is cut"},
        {"measured_at": None, "due_at": NOW - hours(1)},
        {"measured_at": None, "due_at": NOW + hours(5)},
    )
    for number, values in enumerate(states):
        one = of if not number else snapshot(wallet=number)
        OutcomeFactory(snapshot=one, **values)
    counts = report(NOW).outcomes
    assert (counts.planned, counts.measured, counts.overdue) == (4, 2, 1)
    assert (counts.stopped, counts.unmeasurable) == (1, 1)
    assert counts.next_due_at == NOW + hours(5)


def test_weeks_begin_on_monday_and_those_without_a_trade_are_told() -> None:
    of = snapshot(at=NOW - timedelta(days=30))
    for mint, entry_at in enumerate(_days(NOW, (-2, -1, 0, 14))):
        entered(of, entry_at, mint=address(900 + mint))
    weeks = report(NOW).weeks
    assert [week.found_trades for week in weeks] == [2, 1, 0, 1]
    assert [week.starts_at % (7 * 86_400) for week in weeks] == [4 * 86_400] * 4
    assert weeks[2].found_stakes is None


def _days(end: Any, days: Iterable[int]) -> list[Any]:
    """Monday, 16 November 2026 and days from it on, at noon."""
    monday = end.replace(day=16)
    return [monday + timedelta(days=day) for day in days]


def test_without_anything_everything_is_unknown_and_nothing_is_zero() -> None:
    found = report(NOW)
    assert found.sentence.startswith("Not known yet")
    assert found.lift.lift_stakes is None
    assert (found.as_of, found.luck, found.weeks) == (None, None, [])
    assert found.false_follows.lost.share is None


def test_the_luck_is_that_of_the_last_run_that_judged() -> None:
    RunFactory(prior={"luck_share": 0.4, "follow_luck": None})
    last = RunFactory(
        started_at=NOW + hours(1), prior={"luck_share": 0.3, "follow_luck": 0.1}
    )
    RunFactory(started_at=NOW + hours(2))
    luck = report(NOW).luck
    assert luck is not None
    assert (luck.run_id, luck.luck_share, luck.follow_luck) == (last.pk, 0.3, 0.1)


def test_the_saved_number_of_control_wallets_is_told(config: Config) -> None:
    Config.objects.update(control_wallets=0)
    assert report(NOW).control_wallets == 0


def test_the_regime_of_a_day_is_that_of_its_early_buyers() -> None:
    create_record(wallets=12, tokens=30)
    for day in range(30):
        for wallet, pct in enumerate((-90, day * 10, 900)):
            PositionFactory(
                wallet=wallet,
                mint=address(5000 + day),
                profit_pct=pct,
                first_buy_at=START + timedelta(days=day // 2, hours=2),
            )
    thirds = report(NOW).regimes
    assert thirds.lower_cut_stakes is not None
    assert thirds.upper_cut_stakes is not None
    assert thirds.lower_cut_stakes < thirds.upper_cut_stakes
    assert thirds.lower.found.trades > 0


def test_a_record_with_enough_trades_has_a_lift() -> None:
    create_record(wallets=12, tokens=30)
    found = report(NOW)
    assert found.lift.is_known
    assert "Following these wallets with 0.5 SOL" in found.sentence
    assert found.lift.lift_stakes is not None
    assert found.lift.lift_stakes > 0


@pytest.mark.parametrize("trades_by_arm", [10, 1000])
def test_a_report_costs_the_same_queries_for_any_number_of_rows(
    trades_by_arm: int,
) -> None:
    create_record(wallets=10, tokens=trades_by_arm // 10, spread=random.Random(1))
    with CaptureQueriesContext(connection) as queries:
        report(NOW)
    assert len(queries) == QUERIES
    assert OutcomeToken.objects.count() == 2 * trades_by_arm
    assert {trade.mint for trade in followed_trades(WEEK)} != {MINT}
