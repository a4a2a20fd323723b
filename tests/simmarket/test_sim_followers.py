"""What a follower of a wallet gains: by hand, and habit by habit in world `traders`."""

import pytest

from simmarket.worlds import expected_followers
from simmarket.worlds.expected_followers import Record
from simmarket.worlds.expected_results import SKILLED
from simmarket.worlds.purses import FollowerPurse, Reserves
from simmarket.worlds.traders_world import (
    BAG_HOLDER,
    COPIER,
    HABITS,
    INSIDER,
    LUCKY,
    MOVER,
    PAYOFF,
    PENNY_SCALPER,
    SPRAY_BOT,
    WASHER,
)
from tests.simmarket.tiny_world import SOL, TinyWorld

SEEDS = [1, 2, 7]


@pytest.fixture(scope="session")
def records_of_seed(traders_of_seed):
    """Returns the records of all wallets for a seed, each computed once."""
    known = {}

    def of_seed(seed):
        if seed not in known:
            known[seed] = expected_followers.records(traders_of_seed(seed))
        return known[seed]

    return of_seed


@pytest.fixture(params=SEEDS)
def seed(request):
    return request.param


@pytest.fixture
def records(seed, traders_of_seed, records_of_seed):
    """Returns the records of each wallet of a habit."""
    wallets = expected_followers.wallets_by_habit(traders_of_seed(seed))
    return lambda habit: [records_of_seed(seed)[each] for each in wallets[habit]]


@pytest.fixture
def tiny():
    return TinyWorld()


def only(world, wallet, seconds=15):
    """Return the truth of a wallet of a tiny world with one token."""
    address = world.address(wallet)
    rows = expected_followers.results(world.builder.world, seconds)
    (truth,) = (row for row in rows if row.address == address)
    return truth


def together(records):
    """Return one record of all their tokens."""
    return Record([token for record in records for token in record.tokens])


# By hand.


@pytest.mark.parametrize(
    ("base_at_buy", "base_at_sale", "gain"),
    [
        pytest.param(196_078_431_372, 111_111_111_111, 0.707006, id="behind"),
        pytest.param(153_846_153_846, 144_444_444_444, 0.030463, id="late"),
    ],
)
def test_a_follower_gains_what_the_worked_example_of_the_score_says(
    base_at_buy, base_at_sale, gain
):
    purse = FollowerPurse()
    purse.buy(SOL, Reserves(200 * SOL, base_at_buy), leader_was_flat=True)
    purse.sell(1, Reserves(200 * SOL, base_at_sale))
    assert purse.result(0).gain == pytest.approx(gain, abs=1e-6)


def test_the_wallet_itself_paid_and_got_what_its_log_says(tiny):
    units = tiny.buy(0, -4_900)
    tiny.buy(1, -4_800, 20 * SOL)
    tiny.sell(0, -4_700, units)
    leader = only(tiny, 0).leader
    assert leader.paid == tiny.lamports(0, "buy")
    assert leader.got == tiny.lamports(0, "sell")
    assert leader.held == 0


def test_a_follower_right_behind_buys_before_the_next_buyer(tiny):
    tiny.buy(0, -4_900)
    tiny.buy(1, -4_899, 20 * SOL)
    truth = only(tiny, 0)
    assert truth.behind.paid == truth.late.paid == 0.502 * SOL
    assert truth.behind.held > 1.5 * truth.late.held


def test_a_follower_pays_the_price_after_exactly_its_seconds(tiny):
    tiny.buy(0, -4_900)
    tiny.buy(1, -4_885, 20 * SOL)
    assert only(tiny, 0, seconds=14).late == only(tiny, 0).behind
    assert only(tiny, 0, seconds=15).late.held < only(tiny, 0).behind.held


def test_a_later_buy_is_followed_in_proportion_to_the_first(tiny):
    tiny.buy(0, -4_900, 2 * SOL)
    tiny.buy(0, -4_800, SOL)
    assert only(tiny, 0).behind.paid == pytest.approx(0.754 * SOL, rel=1e-6)


def test_an_add_of_less_than_a_tenth_is_not_followed(tiny):
    tiny.buy(0, -4_900, 2 * SOL)
    tiny.buy(0, -4_800, SOL // 10)
    assert only(tiny, 0).behind.paid == 0.502 * SOL


def test_units_that_stay_are_worth_what_the_last_reserves_pay(tiny):
    units = tiny.buy(0, -4_900)
    tiny.buy(1, -4_800, 5 * SOL)
    last = tiny.curve.trades[-1]
    worth = Reserves(last.quote_reserve, last.base_reserve).sold(units)
    truth = only(tiny, 0)
    assert truth.leader.held == pytest.approx(worth)
    assert not truth.has_sold


def test_units_sent_away_bring_nothing_to_anybody(tiny):
    tiny.transfer(0, 1, -4_800, tiny.buy(0, -4_900))
    truth = only(tiny, 0)
    assert truth.leader.gain == truth.behind.gain == truth.late.gain == -1


def test_units_that_came_by_transfer_bring_nothing_of_a_sale(tiny):
    received = tiny.buy(0, -4_900)
    tiny.transfer(0, 1, -4_850, received)
    bought = tiny.buy(1, -4_800)
    tiny.sell(1, -4_700, received + bought)
    share = bought / (received + bought)
    assert only(tiny, 1).leader.got == pytest.approx(tiny.lamports(1, "sell") * share)


def test_growth_weighs_a_total_loss_more_than_a_doubling():
    assert expected_followers.growth(-1) == pytest.approx(-1.0536, abs=1e-4)
    assert expected_followers.growth(1) == pytest.approx(0.9531, abs=1e-4)
    assert expected_followers.growth(50) == pytest.approx(10.986, abs=1e-3)


def test_worlds_with_pools_against_other_tokens_have_no_truth_here(small_world):
    with pytest.raises(ValueError, match="DOLLAR has a pool without SOL"):
        expected_followers.results(small_world)


# Habit by habit.


def test_skilled_traders_gain_and_so_do_their_followers(records):
    for record in records(SKILLED):
        assert record.gains_for_leader
        assert record.gains_for_follower
        assert record.late_growth > 0.15


def test_payoff_traders_gain_though_they_lose_most_of_their_tokens(records):
    for record in records(PAYOFF):
        assert 0.25 <= record.won_share <= 0.4
        assert record.late_growth > 0.15


def test_what_bag_holders_sold_gained_and_the_whole_of_it_lost(records):
    for record in records(BAG_HOLDER):
        sold = [token for token in record.tokens if token.has_sold]
        assert Record(sold).won_share >= 0.8
        assert Record(sold).leader_growth > 0.1
        assert record.leader_growth < -0.05
        assert record.late_growth < -0.05


def test_the_tokens_that_bag_holders_keep_are_worth_next_to_nothing(records):
    for record in records(BAG_HOLDER):
        kept = [token for token in record.tokens if not token.has_sold]
        assert len(kept) == 9
        assert max(token.leader.gain for token in kept) < -0.75


def test_penny_scalpers_win_nearly_always_and_cost_their_followers(records):
    for record in records(PENNY_SCALPER):
        assert record.won_share > 0.8
        assert not record.gains_for_follower


def test_the_wins_of_penny_scalpers_are_one_to_five_per_cent(records):
    wins = [
        token.leader.gain
        for token in together(records(PENNY_SCALPER)).tokens
        if token.leader.gain > 0
    ]
    inside = [win for win in wins if 0.005 <= win <= 0.055]
    assert len(inside) > 0.95 * len(wins)


def test_insiders_gain_while_their_late_followers_lose(records):
    for record in records(INSIDER):
        assert record.leader_growth > 1
        assert record.behind_growth > 1
        assert record.late_growth < -0.1


def test_copiers_gain_little_and_their_late_followers_lose(records):
    record = together(records(COPIER))
    assert -0.1 < record.leader_growth < 0.1
    assert not record.gains_for_follower


def test_every_copier_does_worse_than_the_trader_it_copies(records):
    for skilled, copier in zip(records(SKILLED), records(COPIER), strict=True):
        copied = {token.mint for token in copier.tokens}
        assert copied <= {token.mint for token in skilled.tokens}
        assert copier.leader_growth < skilled.leader_growth - 0.1


def test_spray_bots_lose_and_so_do_their_followers(records):
    for record in records(SPRAY_BOT):
        assert record.leader_growth < -0.05
        assert record.late_growth < -0.05


def test_washers_lose_a_little_in_every_round(records):
    for record in records(WASHER):
        assert -0.1 < record.leader_growth < 0
        assert not record.gains_for_follower


def test_what_movers_sold_themselves_gained_and_the_whole_of_it_lost(records):
    for record in records(MOVER):
        sold = [token for token in record.tokens if token.has_sold]
        moved = [token for token in record.tokens if not token.has_sold]
        assert Record(sold).won_share >= 0.8
        assert Record(sold).leader_growth > 0.1
        assert max(token.leader.gain for token in moved) == -1
        assert record.leader_growth < -0.05
        assert record.late_growth < -0.05


def test_lucky_traders_have_a_big_win_and_lose_together(records):
    each = records(LUCKY)
    for record in each:
        assert max(token.leader.gain for token in record.tokens) > 0.75
    assert together(each).leader_growth < 0
    assert not together(each).gains_for_follower


def test_only_skilled_and_payoff_traders_are_worth_following(seed, traders_of_seed):
    by_habit = expected_followers.habit_records(traders_of_seed(seed))
    gaining = {habit for habit in HABITS if by_habit[habit].gains_for_follower}
    assert gaining == {SKILLED, PAYOFF}
