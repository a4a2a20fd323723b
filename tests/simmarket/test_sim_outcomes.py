"""What a wallet and its followers gained in a period: by hand, and against the results of
a closed past.
"""

import pytest

from simmarket.worlds import expected_followers
from simmarket.worlds.expected_outcomes import Outcomes
from simmarket.worlds.purses import Reserves
from tests.simmarket.tiny_world import SOL, TinyWorld


@pytest.fixture
def tiny():
    return TinyWorld()


def outcome_of(tiny, wallet, after, until, delay_seconds=15):
    outcomes = Outcomes(tiny.builder.world, delay_seconds)
    return outcomes.of(tiny.address(wallet), after, until)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_closed_past_has_the_outcomes_of_its_results(traders_of_seed, seed):
    world = traders_of_seed(seed)
    outcomes = Outcomes(world)
    expected = {}
    for truth in expected_followers.results(world):
        expected.setdefault(truth.address, []).append(truth)
    for address, truths in expected.items():
        tokens = outcomes.of(address, -100 * 86_400, 0).tokens
        assert sorted(tokens, key=lambda truth: truth.mint) == sorted(
            truths, key=lambda truth: truth.mint
        )


def test_periods_that_follow_each_other_share_no_token(traders_of_seed):
    world = traders_of_seed(7)
    outcomes = Outcomes(world)
    edge = -60 * 86_400
    address = next(iter(expected_followers.wallets_by_habit(world)["skilled"]))
    before = outcomes.of(address, -100 * 86_400, edge).tokens
    after = outcomes.of(address, edge, 0).tokens
    whole = outcomes.of(address, -100 * 86_400, 0).tokens
    assert before
    assert after
    assert [each.mint for each in before + after] == [each.mint for each in whole]


def test_a_period_excludes_its_beginning_and_includes_its_end(tiny):
    tiny.buy(0, -4_900)
    assert len(outcome_of(tiny, 0, -4_901, -4_900).tokens) == 1
    assert outcome_of(tiny, 0, -4_900, -4_800).tokens == []


def test_a_token_bought_before_the_period_does_not_count_again(tiny):
    tiny.buy(0, -4_900)
    tiny.buy(0, -4_700)
    assert outcome_of(tiny, 0, -4_800, -4_000).tokens == []


def test_sales_after_the_period_are_not_part_of_it(tiny):
    units = tiny.buy(0, -4_900)
    tiny.sell(0, -4_700, units)
    (truth,) = outcome_of(tiny, 0, -5_000, -4_701).tokens
    assert truth.leader.got == 0
    assert truth.leader.held > 0
    assert not truth.has_sold
    (later,) = outcome_of(tiny, 0, -5_000, -4_700).tokens
    assert later.has_sold


def test_what_is_left_is_worth_the_reserves_at_the_end_of_the_period(tiny):
    units = tiny.buy(0, -4_900)
    tiny.buy(1, -4_800, 5 * SOL)
    at_the_end = tiny.curve.trades[-1]
    tiny.buy(2, -4_700, 20 * SOL)
    (truth,) = outcome_of(tiny, 0, -5_000, -4_701).tokens
    reserves = Reserves(at_the_end.quote_reserve, at_the_end.base_reserve)
    assert truth.leader.held == pytest.approx(reserves.sold(units))


def test_a_late_follower_sees_no_trade_after_the_period(tiny):
    tiny.buy(0, -4_900)
    tiny.buy(1, -4_890, 20 * SOL)
    (cut,) = outcome_of(tiny, 0, -5_000, -4_891).tokens
    assert cut.late == cut.behind
    (whole,) = outcome_of(tiny, 0, -5_000, -4_890).tokens
    assert whole.late.held < whole.behind.held


def test_a_follower_is_as_late_as_the_delay_says(tiny):
    tiny.buy(0, -4_900)
    tiny.buy(1, -4_890, 20 * SOL)
    (in_time,) = outcome_of(tiny, 0, -5_000, -4_000, delay_seconds=9).tokens
    (too_late,) = outcome_of(tiny, 0, -5_000, -4_000, delay_seconds=10).tokens
    assert in_time.late == in_time.behind
    assert too_late.late.held < in_time.late.held


def test_growths_are_means_over_the_tokens(tiny):
    units = tiny.buy(0, -4_900)
    tiny.sell(0, -4_700, units)
    outcome = outcome_of(tiny, 0, -5_000, 0)
    (truth,) = outcome.tokens
    growth = expected_followers.growth
    assert outcome.leader_growth == growth(truth.leader.gain)
    assert outcome.behind_growth == growth(truth.behind.gain)
    assert outcome.late_growth == growth(truth.late.gain)


def test_a_wallet_without_trades_has_no_growth(tiny):
    outcome = outcome_of(tiny, 3, -5_000, 0)
    assert outcome.tokens == []
    assert outcome.leader_growth is None
    assert outcome.late_growth is None
