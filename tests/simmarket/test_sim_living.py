"""World `living`: its tokens, its traders, and what is known about them."""

from collections import Counter

import pytest

from simmarket import worlds
from simmarket.chain.playback import Playback
from simmarket.chain.world import BUY
from simmarket.worlds import expected_results
from simmarket.worlds.expected_followers import Record, wallets_by_habit
from simmarket.worlds.expected_outcomes import Outcomes, is_skilled, skill_spans
from simmarket.worlds.expected_results import SKILLED
from simmarket.worlds.living_tokens import PUMP
from simmarket.worlds.living_traders import (
    ACTIVE_BOT,
    DECAY_DAYS,
    DECAYING,
    EARLY_LOSER,
    QUIET,
    STOP_DAYS,
    STOPPER,
)
from simmarket.worlds.traders_world import BAG_HOLDER, LUCKY, PAYOFF
from tests.simmarket import living
from tests.simmarket.living import DAY, HOUR

LAST_DAY = 30
MAX_TRANSACTIONS = 40_000


@pytest.fixture(scope="module", params=[1, 7])
def world(request):
    return worlds.build("living", request.param)


@pytest.fixture(scope="module")
def wallets(world):
    return wallets_by_habit(world)


@pytest.fixture(scope="module")
def outcomes(world):
    return Outcomes(world)


@pytest.fixture(scope="module")
def tokens(world):
    """The pumped tokens with their early buyers, without the last day's."""
    return [
        token
        for token in expected_results.tokens(world).values()
        if token.kind == PUMP and token.launched_offset_seconds < LAST_DAY * DAY
    ]


def gains_of(outcomes, addresses, after, until):
    """Return one record of all tokens that these wallets bought in a period."""
    rows = [outcomes.of(address, after, until).tokens for address in addresses]
    return Record([token for row in rows for token in row])


def days_with_buys(world, address):
    """Return the days, from the present on, on which a wallet bought."""
    wallet = world.accounts.find(address)
    return [
        world.transactions[movement.position].offset_seconds // DAY
        for movement in world.movements
        if movement.wallet == wallet and movement.kind == BUY
    ]


def qualified_count(tokens, addresses):
    """Return how many of these wallets a run finds in any token."""
    qualified = {
        buyer.address
        for token in tokens
        for buyer in token.early_buyers.values()
        if buyer.qualified
    }
    return len(qualified & set(addresses))


def test_the_same_seed_gives_the_same_world():
    first, second = living.build(), living.build()
    assert [each.signature for each in first.transactions] == [
        each.signature for each in second.transactions
    ]
    assert first.ledger.lamports == second.ledger.lamports
    assert first.skill_spans == second.skill_spans


def test_it_has_a_past_of_three_months_and_a_future_of_thirty_days(world):
    first, last = world.transactions[0], world.transactions[-1]
    assert -95 * DAY <= first.offset_seconds < -90 * DAY
    assert LAST_DAY * DAY < last.offset_seconds <= LAST_DAY * DAY + 6 * HOUR
    assert len(world.transactions) <= MAX_TRANSACTIONS


def test_at_any_time_two_to_four_tokens_pass_the_default_filters(world):
    playback = Playback(world)
    for hour in range(0, LAST_DAY * 24 + 1, 3):
        playback.advance_to(hour * HOUR)
        passing = expected_results.pumped(playback.world, now=hour * HOUR)
        assert 2 <= len(passing) <= 4, hour


def test_a_pumped_token_has_ten_to_thirty_early_buyers(tokens):
    assert len(tokens) > 3 * LAST_DAY
    assert {10 <= len(token.early_buyers) <= 30 for token in tokens} == {True}


def test_each_token_has_six_early_buyers_that_are_like_the_found_ones(tokens, wallets):
    for token in tokens:
        buyers = token.early_buyers.values()
        winners = [each for each in buyers if each.qualified and each.behaviours]
        others = [each for each in buyers if each.address in wallets[EARLY_LOSER]]
        assert winners
        assert len(others) >= 6
        assert not any(each.qualified for each in others)
        for buyer in winners:
            near = [
                each for each in others if abs(each.entry_rank - buyer.entry_rank) < 8
            ]
            costs = [each.cost_lamports / buyer.cost_lamports for each in near]
            assert any(0.5 <= cost <= 2 for cost in costs)


@pytest.mark.parametrize(
    ("habit", "count"),
    [
        (SKILLED, 12),
        (DECAYING, 3),
        (PAYOFF, 6),
        (BAG_HOLDER, 6),
        (LUCKY, 8),
        (STOPPER, 3),
        (QUIET, 2),
        (ACTIVE_BOT, 1),
    ],
)
def test_each_habit_has_its_wallets(wallets, habit, count):
    assert len(wallets[habit]) == count


@pytest.mark.parametrize("habit", [SKILLED, PAYOFF, BAG_HOLDER, LUCKY, STOPPER])
def test_runs_find_traders_of_each_habit_with_a_win(tokens, wallets, habit):
    assert qualified_count(tokens, wallets[habit]) > len(wallets[habit]) // 2


def test_runs_find_the_skilled_ones_within_the_first_day(tokens, wallets):
    first = [token for token in tokens if token.launched_offset_seconds < DAY]
    assert qualified_count(first, wallets[SKILLED]) > 9


def test_skilled_traders_have_a_judgeable_record_at_the_present(outcomes, wallets):
    for address in wallets[SKILLED]:
        record = outcomes.of(address, -90 * DAY, -7 * DAY)
        assert len(record.tokens) >= 15
        assert record.late_growth > 0.15


def test_followers_of_skilled_traders_gain_week_after_week(outcomes, wallets):
    lasting = set(wallets[SKILLED]) - set(wallets[DECAYING])
    assert len(lasting) >= 8
    for address in lasting:
        for week in range(4):
            outcome = outcomes.of(address, week * 7 * DAY, (week + 1) * 7 * DAY)
            assert len(outcome.tokens) >= 5
            assert outcome.late_growth > 0.15


def test_skilled_traders_trade_one_or_two_tokens_a_day(outcomes, wallets):
    record = gains_of(outcomes, wallets[SKILLED], 0, LAST_DAY * DAY)
    per_day = len(record.tokens) / len(wallets[SKILLED]) / LAST_DAY
    assert 1 <= per_day <= 2


def test_those_who_lose_their_skill_gain_before_that_day_and_lose_after_it(
    world, outcomes, wallets
):
    for address, day in zip(wallets[DECAYING], DECAY_DAYS, strict=True):
        assert skill_spans(world)[address][1] == day * DAY
        assert outcomes.of(address, -7 * DAY, day * DAY).late_growth > 0.15
        after = outcomes.of(address, day * DAY + DAY // 2, LAST_DAY * DAY)
        assert len(after.tokens) > 10
        assert after.late_growth < -0.15


def test_all_whose_followers_gain_have_a_known_skill(world, wallets):
    skilled = {
        address
        for habit in (SKILLED, STOPPER, PAYOFF, QUIET)
        for address in wallets[habit]
    }
    assert skill_spans(world).keys() == skilled


def test_skill_ends_with_its_last_day(world, wallets):
    address = wallets[DECAYING][0]
    assert is_skilled(world, address, 0)
    assert is_skilled(world, address, DECAY_DAYS[0] * DAY - 1)
    assert not is_skilled(world, address, DECAY_DAYS[0] * DAY)
    assert not is_skilled(world, wallets[LUCKY][0], 0)


def test_payoff_traders_gain_with_few_wins(outcomes, wallets):
    record = gains_of(outcomes, wallets[PAYOFF], -90 * DAY, LAST_DAY * DAY)
    assert record.won_share < 0.45
    assert record.gains_for_follower


@pytest.mark.parametrize("habit", [LUCKY, EARLY_LOSER, BAG_HOLDER, ACTIVE_BOT])
@pytest.mark.parametrize(
    "period", [(-90 * DAY, -7 * DAY), (0, LAST_DAY * DAY)], ids=["past", "future"]
)
def test_followers_of_wallets_without_skill_lose(outcomes, wallets, habit, period):
    record = gains_of(outcomes, wallets[habit], *period)
    assert not record.gains_for_follower
    assert len(record.tokens) > 20


def test_bag_holders_do_not_sell_losers(outcomes, wallets):
    record = gains_of(outcomes, wallets[BAG_HOLDER], -90 * DAY, (LAST_DAY - 1) * DAY)
    bags = [token for token in record.tokens if not token.has_sold]
    sold = [token for token in record.tokens if token.has_sold]
    assert len(bags) > len(sold)
    assert Record(sold).won_share > 0.8
    old = [each for each in bags if each.first_buy_offset_seconds < -7 * DAY]
    assert max(token.leader.gain for token in old) < -0.7


def test_stoppers_never_trade_again(world, wallets):
    for address, day in zip(wallets[STOPPER], STOP_DAYS, strict=True):
        buys = days_with_buys(world, address)
        assert day - 4 <= max(buys) < day
        last = world.positions_of(world.accounts.find(address))[-1]
        assert world.transactions[last].offset_seconds < day * DAY


def test_quiet_wallets_buy_two_tokens_in_thirty_days(world, wallets):
    for address in wallets[QUIET]:
        assert len([day for day in days_with_buys(world, address) if day >= 0]) == 2


def test_the_active_bot_sends_about_as_many_transactions_as_it_should(world, wallets):
    bot = world.accounts.find(wallets[ACTIVE_BOT][0])
    assert 1_200 < len(world.positions_of(bot)) < 1_700


def test_no_other_trader_comes_near_to_the_bot(world, wallets):
    counts = Counter(
        {
            address: len(world.positions_of(world.accounts.find(address)))
            for habit in (SKILLED, PAYOFF, LUCKY, EARLY_LOSER, STOPPER)
            for address in wallets[habit]
        }
    )
    assert max(counts.values()) < 400
