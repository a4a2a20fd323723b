"""What is missing for a statement, and when it will be there."""

import msgspec

from discovery.analysis.forward_outlook import outlook
from discovery.analysis.forward_record import FollowedTrade, Missing
from discovery.domain.judgements import Verdict
from tests.analysis.forward_trades import DAY, START, followed, record


def _one_wallet_a_day(days: int) -> list[FollowedTrade]:
    """Return ten trades a day in three new tokens, of one new found wallet."""
    return [
        followed(
            "found", day, 3 * day + number % 3, entry_at=START + day * DAY + number
        )
        for day in range(days)
        for number in range(10)
    ]


def test_nothing_is_missing_of_a_whole_record() -> None:
    ahead = outlook(record(), START + 5 * DAY)
    assert ahead.days == 0
    assert not ahead.found.missing


def test_the_rate_of_the_last_days_says_when_a_statement_is_due() -> None:
    ahead = outlook(_one_wallet_a_day(4), START + 4 * DAY)
    assert ahead.found.missing == Missing(wallets=6)
    assert ahead.found.days == 6


def test_a_rate_is_that_of_the_last_fortnight() -> None:
    # Four wallets in the first four days, two of them within the last 14 of 16 days.
    ahead = outlook(_one_wallet_a_day(4), START + 16 * DAY)
    assert ahead.found.days == 6 * 14 // 2


def test_what_came_to_a_halt_has_no_date() -> None:
    ahead = outlook(_one_wallet_a_day(4), START + 60 * DAY)
    assert ahead.found.days is None
    assert ahead.days is None


def test_an_arm_without_a_trade_has_no_date() -> None:
    ahead = outlook(_one_wallet_a_day(20), START + 20 * DAY)
    assert ahead.found.days == 0
    assert ahead.control.missing == Missing(wallets=10, tokens=10, trades=30)
    assert ahead.days is None


def test_the_slower_arm_decides() -> None:
    trades = _one_wallet_a_day(8)
    slow = [
        msgspec.structs.replace(trade, arm="control", wallet=f"control {trade.wallet}")
        for trade in trades
        if trade.entry_at < START + 2 * DAY
    ]
    ahead = outlook([*trades, *slow], START + 8 * DAY)
    assert ahead.found.days == 2
    assert ahead.control.days == 8 * 8 // 2
    assert ahead.days == ahead.control.days


def test_trades_that_are_not_measured_yet_do_not_slow_the_rate() -> None:
    ahead = outlook(_one_wallet_a_day(4), START + 18 * DAY, horizon_days=14)
    assert ahead.found.days == 6


def test_unknown_and_not_followed_trades_are_still_missing() -> None:
    trades = [
        followed("found", 1, 1, follower_growth=None),
        followed("found", 2, 2, verdict=Verdict.WATCH),
    ]
    ahead = outlook(trades, START + DAY)
    assert ahead.found.missing == Missing(wallets=10, tokens=10, trades=30)
