"""The ledger conserves everything, and what wallets are said to have done is what their balances did."""

from collections import Counter, defaultdict

import pytest

from simmarket import worlds
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.world import BUY, SELL


def test_every_transaction_loses_exactly_its_fee(small_world):
    assert all(sum(t.pre) - sum(t.post) == t.fee for t in small_world.transactions)


def test_token_units_only_appear_when_a_token_is_created(small_world):
    made = Counter()
    for transaction in small_world.transactions:
        for row in transaction.tokens:
            made[transaction.signature, row.mint.account] += (row.post or 0) - (row.pre or 0)
    native = small_world.ledger.native.account
    created = [key for key, units in made.items() if units and key[1] != native]
    assert len(created) == len(small_world.tokens)
    assert {made[key] for key in created} == {10**15}


def test_wrapped_sol_units_and_lamports_move_together(small_world):
    native = small_world.ledger.native
    for transaction in small_world.transactions:
        for row in transaction.tokens:
            if row.mint is native and row.post is not None:
                assert transaction.post[row.key] == row.post + native.rent_lamports


def test_balances_follow_from_one_transaction_to_the_next(small_world):
    last = {}
    for transaction in small_world.transactions:
        for account, before, after in zip(transaction.all_keys, transaction.pre, transaction.post, strict=True):
            assert last.get(account, before) == before
            last[account] = after


def test_a_failed_transaction_moves_nothing_but_the_fee(small_world):
    failed = [t for t in small_world.transactions if t.error is not None]
    assert 0.1 < len(failed) / len(small_world.transactions) < 0.3
    for transaction in failed:
        changed = [b - a for a, b in zip(transaction.pre, transaction.post, strict=True) if a != b]
        assert changed == [-transaction.fee]
        assert all(row.pre == row.post for row in transaction.tokens)


def _own_change(world, transaction, wallet):
    """(native + wrapped change, rent that went into own token accounts) of a wallet in a transaction."""
    keys = transaction.all_keys
    native = world.ledger.native
    sol = transaction.post[keys.index(wallet)] - transaction.pre[keys.index(wallet)]
    rent = 0
    for row in transaction.tokens:
        if row.owner != wallet:
            continue
        if row.mint is native:
            sol += (row.post or 0) - (row.pre or 0)
        rent += row.mint.rent_lamports * ((row.post is not None) - (row.pre is not None))
    return sol, rent


@pytest.mark.parametrize("name", ["small", "trades"])
def test_every_logged_trade_is_the_wallets_own_change_to_the_lamport(name, small_world, request):
    world = small_world if name == "small" else request.getfixturevalue("trades_world")
    native = world.ledger.native.account
    checked = 0
    for movement in world.movements:
        if movement.kind not in {BUY, SELL} or movement.quote != native:
            continue
        sol, rent = _own_change(world, world.transactions[movement.transaction], movement.wallet)
        market = -movement.quote_units if movement.kind == BUY else movement.quote_units
        assert sol == market - movement.extras_lamports - rent
        checked += 1
    assert checked > 4000


def test_every_logged_movement_is_the_wallets_own_change_of_units(small_world):
    logged = defaultdict(int)
    for movement in small_world.movements:
        sign = 1 if movement.kind in {BUY, "in"} else -1
        logged[movement.transaction, movement.wallet, movement.mint] += sign * movement.units
    for (place, wallet, mint), units in logged.items():
        rows = small_world.transactions[place].tokens
        change = sum((r.post or 0) - (r.pre or 0) for r in rows if r.owner == wallet and r.mint.account == mint)
        assert change == units


def test_a_usdc_trade_moves_the_logged_usdc(small_world):
    usdc = [m for m in small_world.movements if m.kind == BUY and m.quote not in {0, small_world.ledger.native.account}]
    assert len(usdc) > 50
    for movement in usdc:
        rows = small_world.transactions[movement.transaction].tokens
        paid = sum(
            (r.post or 0) - (r.pre or 0)
            for r in rows
            if r.owner == movement.wallet and r.mint.account == movement.quote
        )
        assert paid == -movement.quote_units


def test_the_same_seed_gives_the_same_world(small_world):
    again = worlds.build("small", 7)
    assert [t.signature for t in again.transactions] == [t.signature for t in small_world.transactions]
    assert again.ledger.lamports == small_world.ledger.lamports


def test_another_seed_gives_another_world(small_world, seeded_world):
    other = seeded_world(2)
    assert not {t.signature for t in other.transactions} & {t.signature for t in small_world.transactions}


def test_the_small_world_is_as_large_as_promised(small_world):
    assert len(small_world.tokens) == 24 + 18
    assert len(small_world.wallets) >= 300
    assert 8_500 <= len(small_world.transactions) <= 10_000


def test_wallets_are_curve_points_and_pools_are_not(small_world):
    raw = small_world.accounts.raw
    assert all(is_on_curve(raw(wallet)) for wallet in small_world.wallets)
    pools = [pool.account for token in small_world.tokens.values() for pool in token.pools]
    assert not any(is_on_curve(raw(pool)) for pool in pools)


def test_transactions_stand_in_chain_order(small_world):
    order = [(t.slot, t.index) for t in small_world.transactions]
    assert order == sorted(set(order))
    offsets = [t.offset_seconds for t in small_world.transactions]
    assert offsets == sorted(offsets)


def test_every_message_version_occurs(small_world):
    assert {t.version for t in small_world.transactions} == {None, 0, 1}
    assert any(t.loaded_readonly for t in small_world.transactions)
