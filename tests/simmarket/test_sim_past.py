"""The past of world `small`: its tokens, and the records that wallets earned there."""

from decimal import Decimal
from itertools import chain

import pytest

from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import BUY, SELL
from simmarket.worlds import expected_results
from tests.simmarket.past import DAY, past_accounts, past_tokens

SEEDS = [1, 2, 3, 7]


@pytest.fixture
def skilled_records(seeded_world, past_cycles):
    """Returns the past cycles of each skilled wallet for a seed."""
    return lambda seed: [
        past_cycles(seed)[address]
        for address in expected_results.skilled(seeded_world(seed))
    ]


@pytest.fixture
def lucky_records(seeded_world, past_cycles):
    """Returns the past cycles of each lucky wallet for a seed."""
    return lambda seed: [
        past_cycles(seed)[address]
        for address in expected_results.lucky_once(seeded_world(seed))
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_of_the_past_are_old_and_short_lived(seed, seeded_world):
    world = seeded_world(seed)
    past = past_tokens(world)
    assert 16 <= len(past) <= 20
    for token in past.values():
        launch = token.launched_offset_seconds
        assert 9 * DAY <= -launch <= 40 * DAY
        positions = world.positions_of(token.mint.account)
        assert 50 <= len(positions) <= 140
        last = world.transactions[positions[-1]].offset_seconds
        assert launch < last < min(-7 * DAY - 3600, launch + 2 * DAY)


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_of_the_past_have_little_liquidity_left(seed, seeded_world):
    world = seeded_world(seed)
    for token in past_tokens(world).values():
        _, figures = main_pool(world, token, SERVER_START_OFFSET_SECONDS)
        assert figures.liquidity_usd < 10_000


@pytest.mark.parametrize("seed", SEEDS)
def test_two_tokens_of_the_past_migrated_and_one_traded_against_usdc(
    seed, seeded_world
):
    world = seeded_world(seed)
    past = past_tokens(world)
    assert (
        sum(token.graduated_offset_seconds is not None for token in past.values()) == 2
    )
    assert any(
        token.pools[0].quote is not world.ledger.native for token in past.values()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_past_is_over_before_the_present_begins(seed, seeded_world):
    world = seeded_world(seed)
    past = past_accounts(world)
    last_of_past = max(m.position for m in world.movements if m.mint in past)
    assert last_of_past < min(m.position for m in world.movements if m.mint not in past)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_search_up_to_a_week_back_takes_a_token_of_the_past(seed, seeded_world):
    world = seeded_world(seed)
    minimum = Decimal(-100)
    pumped = expected_results.pumped(
        world,
        min_price_change_pct=minimum,
        min_volume_usd=minimum,
        min_liquidity_usd=minimum,
        max_token_age_hours=168,
    )
    assert pumped
    assert not pumped & past_tokens(world).keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_each_skilled_wallet_wins_most_of_its_past_but_not_all(seed, skilled_records):
    for rows in skilled_records(seed):
        closed = [cycle for cycle in rows if cycle.is_closed]
        assert len(closed) >= 5
        assert len({cycle.mint for cycle in closed}) >= 5
        wins = sum(cycle.net_lamports > 0 for cycle in closed)
        assert 0.6 <= wins / len(closed) < 1
        assert (
            sum(cycle.net_lamports for cycle in rows)
            > max(cycle.net_lamports for cycle in rows)
            > 0
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_together_win_four_of_five_cycles(seed, skilled_records):
    cycles = list(chain.from_iterable(skilled_records(seed)))
    assert 0.75 <= sum(cycle.net_lamports > 0 for cycle in cycles) / len(cycles) <= 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gains_of_skilled_wallets_range_from_small_to_large(seed, skilled_records):
    cycles = list(chain.from_iterable(skilled_records(seed)))
    gains_pct = [
        100 * cycle.net_lamports // cycle.put_in_lamports
        for cycle in cycles
        if cycle.net_lamports > 0
    ]
    assert min(gains_pct) < 50
    assert max(gains_pct) > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_have_long_and_short_records(seed, skilled_records):
    sizes = []
    for rows in skilled_records(seed):
        sizes.append(sum(cycle.is_closed for cycle in rows))
        if sizes[-1] >= 10:
            assert len({cycle.opened_offset_seconds // DAY for cycle in rows}) >= 10
    assert sum(size >= 10 for size in sizes) >= 4
    assert sum(5 <= size <= 9 for size in sizes) >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_each_lucky_wallet_mostly_loses_in_the_past(seed, lucky_records):
    for rows in lucky_records(seed):
        assert len({cycle.mint for cycle in rows}) >= 6
        losses = sum(cycle.net_lamports < 0 for cycle in rows)
        assert losses / len(rows) >= 0.75
        assert all(
            cycle.net_lamports * 100 < 50 * cycle.put_in_lamports for cycle in rows
        )
        assert sum(cycle.net_lamports for cycle in rows) < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_some_cycles_of_lucky_wallets_win_and_some_are_open(seed, lucky_records):
    cycles = list(chain.from_iterable(lucky_records(seed)))
    assert any(cycle.net_lamports > 0 for cycle in cycles)
    assert any(not cycle.is_closed for cycle in cycles)


def test_wallets_of_other_behaviours_have_a_past_too(small_world):
    past = past_accounts(small_world)
    traders = {m.wallet for m in small_world.movements if m.mint in past}
    labels = [
        small_world.behaviours[small_world.accounts.address(wallet)]
        for wallet in traders
    ]
    seen = set().union(*labels)
    assert seen >= {
        "bag holder",
        "sniper",
        "clip seller",
        "transfer-out loser",
        "bot user",
        "creator",
    }
    assert sum(not each for each in labels) > 20


def test_skilled_and_lucky_wallets_traded_in_the_last_days(small_world):
    last_trades = {}
    for movement in small_world.movements:
        if movement.kind in {BUY, SELL}:
            address = small_world.accounts.address(movement.wallet)
            last_trades[address] = small_world.transactions[
                movement.position
            ].offset_seconds
    wallets = expected_results.skilled(small_world) | expected_results.lucky_once(
        small_world
    )
    assert all(last_trades[wallet] > -4 * DAY for wallet in wallets)
