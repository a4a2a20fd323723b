"""Worlds from a trades file."""

import csv
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain import base58
from simmarket.chain.world import BUY
from simmarket.worlds import expected_results

COLUMNS = (
    "mint,pool,token_created_ts,seconds_after_creation,ts,side,trader,"
    "sol,tokens,price_sol,source,router_program_prefixes,signature"
)
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
POOL = "GJA8ec4mGb79zP3cNiz92VDoZP4KHCSQPJ1xKNKaBHW1"
ANA = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"
BEN = "HsBK95XGUpVD3ENufWapD3Jib6zodHE6xj3VLArNBX3v"


def row(side, trader, sol, tokens, *, ts=1000, signature=""):
    return f"{MINT},{POOL},1000,0,{ts},{side},{trader},{sol},{tokens},0,PUMP_AMM,,{signature}"


@pytest.fixture
def world_of(tmp_path):
    """Returns the world of some rows."""

    def build(*rows):
        path = tmp_path / "trades.csv"
        path.write_text("\n".join((COLUMNS, *rows)) + "\n")
        return worlds.from_trades(path)

    return build


@pytest.fixture(scope="session")
def real_rows(real_data):
    path = real_data / "trades" / "pump_launch_first_300s.csv"
    return list(csv.DictReader(path.read_text().splitlines()))


def is_valid(cells):
    return base58.is_address(cells["trader"]) and bool(
        Decimal(cells["sol"]) and Decimal(cells["tokens"])
    )


def test_invalid_rows_are_dropped_and_counted_by_reason(world_of):
    world = world_of(
        row("buy", ANA, "1", "10"),
        row("buy", "RDCT-d4fb6b1f86", "1", "10"),
        row("buy", ANA, "0.0", "10"),
        row("sell", ANA, "1", "0"),
        row("hold", ANA, "1", "1"),
        row("buy", ANA, "many", "1"),
    )
    assert len(world.transactions) == 1
    assert world.dropped_rows == {
        "invalid_address": 1,
        "zero_sol": 1,
        "zero_tokens": 1,
        "unknown_side": 1,
        "unreadable_number": 1,
    }


def test_amounts_round_half_even(world_of):
    world = world_of(
        row("buy", ANA, "0.0000000025", "0.0000015"),
        row("buy", ANA, "0.0000000035", "0.0000025"),
    )
    assert [(m.quote_units, m.units) for m in world.movements] == [(2, 2), (4, 2)]


def test_rows_of_one_second_share_a_slot_in_file_order(world_of):
    world = world_of(
        row("buy", ANA, "1", "9", ts=1001),
        row("buy", BEN, "2", "9", ts=1000),
        row("sell", ANA, "1", "9", ts=1001),
    )
    assert [(t.offset_seconds, t.index) for t in world.transactions] == [
        (-1, 0),
        (0, 0),
        (0, 1),
    ]
    assert (
        world.transactions[1].slot
        == world.transactions[2].slot
        > world.transactions[0].slot
    )


def test_a_row_moves_exactly_its_amounts(world_of):
    world = world_of(
        row("buy", ANA, "1.5", "1000"), row("sell", ANA, "0.5", "400", ts=1010)
    )
    wallet = world.accounts.add(ANA)
    changes = []
    for transaction in world.transactions:
        index = transaction.all_keys.index(wallet)
        changes.append(
            transaction.post_lamports[index] - transaction.pre_lamports[index]
        )
    assert changes == [-1_500_000_000 - 5_000 - 2_039_280, 500_000_000 - 5_000]


def test_the_trader_alone_signs_and_pays_the_base_fee(world_of):
    world = world_of(
        row("buy", ANA, "1.5", "1000"), row("sell", ANA, "0.5", "400", ts=1010)
    )
    wallet = world.accounts.add(ANA)
    assert all(
        t.keys[0] == wallet and t.signer_count == 1 and t.fee_lamports == 5_000
        for t in world.transactions
    )


@pytest.fixture
def oversold_world(world_of):
    """A world in which ANA and BEN sell more than they buy."""
    return world_of(
        row("buy", ANA, "1", "100"),
        row("sell", ANA, "3", "250", ts=1005),
        row("sell", BEN, "1", "70", ts=1006),
    )


def test_units_sold_beyond_the_buys_exist_before_the_first_trade(oversold_world):
    ana = oversold_world.accounts.add(ANA)
    own = next(row for row in oversold_world.transactions[0].tokens if row.owner == ana)
    assert (own.pre_units, own.post_units) == (150 * 10**6, 250 * 10**6)


def test_a_wallet_that_held_more_than_dust_before_is_no_early_buyer(oversold_world):
    assert not expected_results.tokens(oversold_world)[MINT].early_buyers


def test_a_wallet_that_held_dust_before_has_an_incomplete_history(world_of):
    world = world_of(
        row("buy", ANA, "1", "1000"), row("sell", ANA, "3", "1001", ts=1005)
    )
    buyers = expected_results.tokens(world)[MINT].early_buyers
    assert buyers[ANA].history_incomplete
    assert buyers[ANA].knowledge == "partly"
    # matched: 1000 of 1001 units, for their share of 3 SOL and of the fee
    proceeds = Fraction(3_000_000_000 - 5_000) * 1000 / 1001
    assert buyers[ANA].realised_lamports == round(proceeds) - 1_000_005_000


def test_an_empty_or_repeated_signature_is_replaced(world_of):
    own = base58.encode(bytes(range(1, 65)))
    world = world_of(
        row("buy", ANA, "1", "1"),
        row("buy", ANA, "1", "1", signature=own),
        row("buy", ANA, "1", "1", signature=own),
    )
    signatures = [t.signature for t in world.transactions]
    assert signatures[1] == own
    assert len(set(signatures)) == 3
    assert all(base58.is_signature(signature) for signature in signatures)


def test_the_real_file_keeps_every_valid_row(trades_world, real_rows):
    valid = [cells for cells in real_rows if is_valid(cells)]
    assert len(trades_world.transactions) == len(valid)
    assert sum(trades_world.dropped_rows.values()) == len(real_rows) - len(valid)
    address = trades_world.accounts.address
    trades = Counter(
        (c["trader"], c["mint"], c["side"], Decimal(c["sol"]) * 10**9) for c in valid
    )
    movements = trades_world.movements
    assert trades == Counter(
        (address(m.wallet), address(m.mint), m.kind, Decimal(m.quote_units))
        for m in movements
    )


def test_the_real_file_conserves_lamports(trades_world):
    assert all(
        sum(t.pre_lamports) - sum(t.post_lamports) == t.fee_lamports
        for t in trades_world.transactions
    )


def test_the_real_file_conserves_token_units(trades_world):
    for transaction in trades_world.transactions:
        changes = defaultdict(int)
        for token in transaction.tokens:
            changes[token.mint.account] += (token.post_units or 0) - (
                token.pre_units or 0
            )
        changes.pop(trades_world.ledger.native.account)
        assert not any(changes.values())


def test_wallets_that_only_bought_cost_the_sum_of_their_rows(trades_world, real_rows):
    spent, sellers = defaultdict(int), set()
    for cells in real_rows:
        key = cells["trader"], cells["mint"]
        if not is_valid(cells):
            continue
        if cells["side"] == "buy":
            lamports = Decimal(cells["sol"]) * 10**9
            spent[key] += int(lamports.to_integral_value(ROUND_HALF_EVEN)) + 5_000
        else:
            sellers.add(key)
    compared = 0
    for mint, token in expected_results.tokens(trades_world).items():
        for address, buyer in token.early_buyers.items():
            if (address, mint) not in sellers:
                assert buyer.cost_lamports == spent[address, mint]
                assert (buyer.realised_lamports, buyer.profit_pct) == (
                    0,
                    Decimal("-100.00"),
                )
                compared += 1
    assert compared > 100


@pytest.fixture
def trades_market(start_market, trades_world):
    return start_market(Options(), trades_world)


def test_the_pair_of_a_trades_token_is_its_pool_with_the_launch_time(
    trades_market, trades_world
):
    mint, token = next(iter(trades_world.tokens.items()))
    pair = trades_market.get(f"/dexscreener/token-pairs/v1/solana/{mint}")[0]
    assert pair["pairAddress"] == trades_world.accounts.address(token.pools[0].account)
    launch = token.launched_offset_seconds + trades_world.file_end_seconds
    assert (
        pair["pairCreatedAt"]
        == (launch + trades_market.stats()["file_shift_seconds"]) * 1000
    )


def test_the_pool_of_a_trades_token_has_all_its_transactions(
    trades_market, trades_world
):
    _, token = next(iter(trades_world.tokens.items()))
    pool = trades_world.accounts.address(token.pools[0].account)
    movements = [m for m in trades_world.movements if m.mint == token.mint.account]
    assert len(trades_market.rpc("getSignaturesForAddress", pool)) == len(movements)
    buy_count = sum(movement.kind == BUY for movement in movements)
    assert buy_count == sum(trade.is_buy for trade in token.pools[0].trades)
