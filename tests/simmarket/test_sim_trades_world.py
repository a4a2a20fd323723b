"""Worlds out of a trades file."""

import csv
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain import base58
from simmarket.chain.world import BUY
from simmarket.worlds import expected_results as truth

COLUMNS = (
    "mint,pool,token_created_ts,seconds_after_creation,ts,side,trader,"
    "sol,tokens,price_sol,source,router_program_prefixes,signature"
)
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
POOL = "GJA8ec4mGb79zP3cNiz92VDoZP4KHCSQPJ1xKNKaBHW1"
ANA = "DQmMnakiKr1YNE2gcpggLCzBrauBwFbQkAaao2FTbjgp"
BEN = "HsBK95XGUpVD3ENufWapD3Jib6zodHE6xj3VLArNBX3v"


def _row(side, trader, sol, tokens, ts=1000, signature=""):
    return f"{MINT},{POOL},1000,0,{ts},{side},{trader},{sol},{tokens},0,PUMP_AMM,,{signature}"


def _world(tmp_path, *rows):
    path = tmp_path / "trades.csv"
    path.write_text("\n".join((COLUMNS, *rows)) + "\n")
    return worlds.from_trades(path)


def test_rows_without_an_address_or_an_amount_are_dropped_and_counted(tmp_path):
    world = _world(
        tmp_path,
        _row("buy", ANA, "1", "10"),
        _row("buy", "RDCT-d4fb6b1f86", "1", "10"),
        _row("buy", ANA, "0.0", "10"),
        _row("sell", ANA, "1", "0"),
        _row("hold", ANA, "1", "1"),
        _row("buy", ANA, "many", "1"),
    )
    assert len(world.transactions) == 1
    assert world.dropped_rows == {
        "invalid_address": 1,
        "zero_sol": 1,
        "zero_tokens": 1,
        "unknown_side": 1,
        "unreadable_number": 1,
    }


def test_amounts_round_half_even(tmp_path):
    world = _world(
        tmp_path, _row("buy", ANA, "0.0000000025", "0.0000015"), _row("buy", ANA, "0.0000000035", "0.0000025")
    )
    assert [(m.quote_units, m.units) for m in world.movements] == [(2, 2), (4, 2)]


def test_rows_of_one_second_share_a_slot_in_file_order(tmp_path):
    world = _world(
        tmp_path,
        _row("buy", ANA, "1", "9", ts=1001),
        _row("buy", BEN, "2", "9", ts=1000),
        _row("sell", ANA, "1", "9", ts=1001),
    )
    assert [(t.offset_seconds, t.index) for t in world.transactions] == [(-1, 0), (0, 0), (0, 1)]
    assert world.transactions[1].slot == world.transactions[2].slot > world.transactions[0].slot


def test_a_row_moves_exactly_its_amounts(tmp_path):
    world = _world(tmp_path, _row("buy", ANA, "1.5", "1000"), _row("sell", ANA, "0.5", "400", ts=1010))
    wallet = world.accounts.add(ANA)
    changes = [t.post[t.all_keys.index(wallet)] - t.pre[t.all_keys.index(wallet)] for t in world.transactions]
    assert changes == [-1_500_000_000 - 5_000 - 2_039_280, 500_000_000 - 5_000]
    assert all(t.keys[0] == wallet and t.signers == 1 and t.fee == 5_000 for t in world.transactions)


def test_units_sold_beyond_the_holdings_lay_there_before(tmp_path):
    world = _world(
        tmp_path,
        _row("buy", ANA, "1", "100"),
        _row("sell", ANA, "3", "250", ts=1005),
        _row("sell", BEN, "1", "70", ts=1006),
    )
    first = world.transactions[0]
    own = next(row for row in first.tokens if row.owner == world.accounts.add(ANA))
    assert (own.pre, own.post) == (150 * 10**6, 250 * 10**6)
    found = truth.tokens(world)[MINT].early_buyers
    assert set(found) == {ANA}
    assert found[ANA].history_incomplete
    # matched: 100 of 250 units for 40 % of 3 SOL and of the fee
    assert found[ANA].realised_lamports == 1_200_000_000 - 2_000 - 1_000_005_000


def test_an_empty_or_repeated_signature_gets_a_made_up_one(tmp_path):
    own = base58.encode(bytes(range(1, 65)))
    world = _world(
        tmp_path,
        _row("buy", ANA, "1", "1"),
        _row("buy", ANA, "1", "1", signature=own),
        _row("buy", ANA, "1", "1", signature=own),
    )
    signatures = [t.signature for t in world.transactions]
    assert signatures[1] == own
    assert len(set(signatures)) == 3
    assert all(base58.is_signature(signature) for signature in signatures)


def test_the_real_file_keeps_every_valid_row(trades_world, real_data):
    rows = list(csv.DictReader((real_data / "trades" / "pump_launch_first_300s.csv").read_text().splitlines()))
    valid = [r for r in rows if base58.is_address(r["trader"]) and Decimal(r["sol"]) and Decimal(r["tokens"])]
    assert len(trades_world.transactions) == len(valid)
    assert sum(trades_world.dropped_rows.values()) == len(rows) - len(valid)
    wanted = Counter((r["trader"], r["mint"], r["side"], Decimal(r["sol"]) * 10**9) for r in valid)
    address = trades_world.accounts.address
    assert wanted == Counter(
        (address(m.wallet), address(m.mint), m.kind, Decimal(m.quote_units)) for m in trades_world.movements
    )


def test_the_real_file_conserves_lamports_and_units(trades_world):
    assert all(sum(t.pre) - sum(t.post) == t.fee for t in trades_world.transactions)
    for transaction in trades_world.transactions:
        change = defaultdict(int)
        for row in transaction.tokens:
            change[row.mint.account] += (row.post or 0) - (row.pre or 0)
        change.pop(trades_world.ledger.native.account)
        assert not any(change.values())


def test_truth_of_the_real_file_is_a_plain_sum_for_wallets_that_only_bought(trades_world, real_data):
    rows = list(csv.DictReader((real_data / "trades" / "pump_launch_first_300s.csv").read_text().splitlines()))
    spent, sold = defaultdict(list), set()
    for row in rows:
        if not base58.is_address(row["trader"]) or not Decimal(row["sol"]) or not Decimal(row["tokens"]):
            continue
        key = row["trader"], row["mint"]
        if row["side"] == "buy":
            spent[key].append(int((Decimal(row["sol"]) * 10**9).to_integral_value(ROUND_HALF_EVEN)) + 5_000)
        else:
            sold.add(key)
    checked = 0
    for mint, token in truth.tokens(trades_world).items():
        for address, buyer in token.early_buyers.items():
            if (address, mint) not in sold:
                assert buyer.cost_lamports == sum(spent[address, mint])
                assert (buyer.realised_lamports, buyer.profit_pct) == (0, Decimal("-100.00"))
                checked += 1
    assert checked > 100


def test_the_curve_of_a_trades_token_has_no_transactions_and_the_pool_has_all(fresh, trades_world):
    market = fresh(Options(), trades_world)
    mint, token = next(iter(trades_world.tokens.items()))
    pool = trades_world.accounts.address(token.pools[0].account)
    shown = market.get(f"/dexscreener/token-pairs/v1/solana/{mint}")[0]
    shift = market.stats()["file_shift_seconds"]
    assert shown["pairAddress"] == pool
    assert shown["pairCreatedAt"] == (token.launched_offset_seconds + trades_world.file_end_seconds + shift) * 1000
    rows = market.rpc("getSignaturesForAddress", pool)
    assert len(rows) == sum(m.mint == token.mint.account for m in trades_world.movements)
    buys = [m for m in trades_world.movements if m.mint == token.mint.account and m.kind == BUY]
    assert sum(1 for _ in buys) == sum(trade.is_buy for trade in token.pools[0].trades)
