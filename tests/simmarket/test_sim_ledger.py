"""The ledger conserves everything, and the logged movements equal the changes of the
wallets' balances.
"""

from collections import Counter, defaultdict

import pytest

from simmarket import worlds
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.world import BUY, SELL


def change_of(row):
    """Return the change of a token account's units in a transaction."""
    return (row.post_units or 0) - (row.pre_units or 0)


def test_every_transaction_loses_exactly_its_fee(small_world):
    assert all(
        sum(t.pre_lamports) - sum(t.post_lamports) == t.fee_lamports
        for t in small_world.transactions
    )


def test_token_units_only_appear_when_a_token_is_created(small_world):
    changes = Counter()
    for transaction in small_world.transactions:
        for row in transaction.tokens:
            changes[transaction.signature, row.mint.account] += change_of(row)
    native = small_world.ledger.native.account
    creations = {
        key: units for key, units in changes.items() if units and key[1] != native
    }
    assert len(creations) == len(small_world.tokens)
    assert set(creations.values()) == {10**15}


def test_wrapped_sol_units_and_lamports_move_together(small_world):
    native = small_world.ledger.native
    for transaction in small_world.transactions:
        for row in transaction.tokens:
            if row.mint is native and row.post_units is not None:
                assert (
                    transaction.post_lamports[row.key]
                    == row.post_units + native.rent_lamports
                )


def test_balances_continue_from_one_transaction_to_the_next(small_world):
    balances = {}
    for transaction in small_world.transactions:
        keys = transaction.all_keys
        for account, before, after in zip(
            keys, transaction.pre_lamports, transaction.post_lamports, strict=True
        ):
            assert balances.get(account, before) == before
            balances[account] = after


def test_a_failed_transaction_moves_nothing_but_the_fee(small_world):
    failed = [t for t in small_world.transactions if t.error is not None]
    assert 0.1 < len(failed) / len(small_world.transactions) < 0.3
    for transaction in failed:
        balances = zip(transaction.pre_lamports, transaction.post_lamports, strict=True)
        assert [after - before for before, after in balances if before != after] == [
            -transaction.fee_lamports
        ]
        assert all(row.pre_units == row.post_units for row in transaction.tokens)


def own_change(world, transaction, wallet):
    """Return a wallet's change of native and wrapped SOL, without the rent of its own
    token accounts.
    """
    native = world.ledger.native
    index = transaction.all_keys.index(wallet)
    lamports = transaction.post_lamports[index] - transaction.pre_lamports[index]
    for row in transaction.tokens:
        if row.owner != wallet:
            continue
        if row.mint is native:
            lamports += change_of(row)
        opened_accounts = (row.post_units is not None) - (row.pre_units is not None)
        lamports += row.mint.rent_lamports * opened_accounts
    return lamports


@pytest.mark.parametrize("name", ["small", "trades"])
def test_every_logged_trade_equals_the_wallets_change_in_lamports(
    name, small_world, request
):
    world = small_world if name == "small" else request.getfixturevalue("trades_world")
    native = world.ledger.native.account
    trades = [m for m in world.movements if m.kind in {BUY, SELL} and m.quote == native]
    for trade in trades:
        market_lamports = -trade.quote_units if trade.kind == BUY else trade.quote_units
        change = own_change(world, world.transactions[trade.position], trade.wallet)
        assert change == market_lamports - trade.fees_lamports
    assert len(trades) > 4000


def test_every_logged_movement_equals_the_wallets_change_in_units(small_world):
    logged = defaultdict(int)
    for movement in small_world.movements:
        sign = 1 if movement.kind in {BUY, "in"} else -1
        logged[movement.position, movement.wallet, movement.mint] += (
            sign * movement.units
        )
    for (position, wallet, mint), units in logged.items():
        rows = [
            row
            for row in small_world.transactions[position].tokens
            if row.owner == wallet
        ]
        assert sum(change_of(row) for row in rows if row.mint.account == mint) == units


def test_a_usdc_trade_moves_the_logged_usdc(small_world):
    other_quotes = {0, small_world.ledger.native.account}
    usdc_buys = [
        m
        for m in small_world.movements
        if m.kind == BUY and m.quote not in other_quotes
    ]
    assert len(usdc_buys) > 50
    for buy in usdc_buys:
        rows = [
            row
            for row in small_world.transactions[buy.position].tokens
            if row.owner == buy.wallet
        ]
        assert (
            sum(change_of(row) for row in rows if row.mint.account == buy.quote)
            == -buy.quote_units
        )


def test_the_same_seed_gives_the_same_world(small_world):
    other = worlds.build("small", 7)
    assert [t.signature for t in other.transactions] == [
        t.signature for t in small_world.transactions
    ]
    assert other.ledger.lamports == small_world.ledger.lamports


def test_another_seed_gives_another_world(small_world, seeded_world):
    other = seeded_world(2)
    assert not {t.signature for t in other.transactions} & {
        t.signature for t in small_world.transactions
    }


def test_the_small_world_has_its_documented_size(small_world):
    assert len(small_world.tokens) == 24 + 18
    assert len(small_world.wallets) >= 300
    assert 8_500 <= len(small_world.transactions) <= 10_000


def test_wallets_are_curve_points_and_pools_are_not(small_world):
    raw = small_world.accounts.raw
    assert all(is_on_curve(raw(wallet)) for wallet in small_world.wallets)
    for token in small_world.tokens.values():
        assert not any(is_on_curve(raw(pool.account)) for pool in token.pools)


def test_transactions_are_in_chain_order(small_world):
    order = [(t.slot, t.index) for t in small_world.transactions]
    assert order == sorted(set(order))
    offsets = [t.offset_seconds for t in small_world.transactions]
    assert offsets == sorted(offsets)


def test_every_message_version_occurs(small_world):
    assert {t.version for t in small_world.transactions} == {None, 0, 1}
    assert any(t.loaded_readonly for t in small_world.transactions)
