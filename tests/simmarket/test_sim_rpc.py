"""The Solana node: paging of signatures, blocks, slots, accounts, batches."""

import json
from base64 import b64decode

import pytest

from simmarket.chain import base58, programs

SIGNATURES_ONLY = {"transactionDetails": "signatures", "rewards": False}


def pool_of(world, symbol, index=1):
    token = next(token for token in world.tokens.values() if token.symbol == symbol)
    return world.accounts.address(token.pools[index].account)


@pytest.fixture
def pool(small_world):
    """The address of a pool with many transactions."""
    return pool_of(small_world, "TWINS")


def all_signatures(market, address, **config):
    rows = []
    paging = {}
    while True:
        page = market.rpc("getSignaturesForAddress", address, {**config, **paging})
        rows += page
        if len(page) < config.get("limit", 1000):
            return rows
        paging = {"before": page[-1]["signature"]}


def first_existing(market, method, slot, *options):
    """Return (slot, result) of the first slot at or after this one that was not
    skipped.
    """
    envelope = market.envelope(method, slot, *options)
    while "error" in envelope:
        slot += 1
        envelope = market.envelope(method, slot, *options)
    return slot, envelope["result"]


def test_signature_rows_have_the_captured_keys(market, pool, real_data):
    path = real_data / "http" / "solana_rpc" / "get_txids_792ff1.json"
    captured = json.loads(path.read_text())["result"][0]
    row = market.rpc("getSignaturesForAddress", pool, {"limit": 1})[0]
    assert set(row) == set(captured)


def test_pages_of_signatures_join_without_gap_or_repeat(market, pool):
    assert all_signatures(market, pool, limit=37) == all_signatures(market, pool)


def test_signatures_are_newest_first_and_include_failures(market, small_world, pool):
    rows = all_signatures(market, pool)
    positions = [small_world.position_of(row["signature"]) for row in rows]
    assert positions == sorted(positions, reverse=True)
    assert any(row["err"] for row in rows)


def test_until_ends_a_page_before_that_signature(market, pool):
    rows = all_signatures(market, pool)
    assert (
        market.rpc("getSignaturesForAddress", pool, {"until": rows[20]["signature"]})
        == rows[:20]
    )


def test_any_signature_of_a_block_is_a_cursor(market, pool):
    rows = all_signatures(market, pool)
    slot, block = first_existing(
        market, "getBlock", rows[50]["slot"] + 1, SIGNATURES_ONLY
    )
    page = market.rpc(
        "getSignaturesForAddress", pool, {"before": block["signatures"][-1]}
    )
    assert page == [row for row in rows if row["slot"] <= slot]


def test_a_block_lists_its_transactions_in_order(market, small_world):
    slot = next(t.slot for t in small_world.transactions if t.index == 1)
    block = market.rpc("getBlock", slot, SIGNATURES_ONLY)
    own = [
        small_world.transactions[position].signature
        for position in small_world.positions_in_slot(slot)
    ]
    assert block["signatures"][: len(own)] == own
    assert len(block["signatures"]) > len(own)


def test_block_times_rise_with_the_slots(market):
    slot = market.rpc("getSlot")
    envelopes = [
        market.envelope("getBlockTime", each) for each in range(slot - 400, slot)
    ]
    times = [envelope["result"] for envelope in envelopes if "result" in envelope]
    assert times == sorted(times)
    assert len(times) > 350


def test_a_recent_skipped_slot_has_no_block_time(market):
    slot = market.rpc("getSlot")
    envelopes = [
        market.envelope("getBlockTime", each) for each in range(slot - 400, slot)
    ]
    assert {
        envelope["error"]["code"] for envelope in envelopes if "error" in envelope
    } == {-32007}


def test_an_old_slot_has_a_valid_envelope(market):
    slot = market.rpc("getSlot")
    assert (
        market.envelope("getBlockTime", slot - 3_000_000 - slot % 43)["jsonrpc"]
        == "2.0"
    )


def test_old_skipped_slots_are_missing_in_long_term_storage(market):
    first = market.rpc("getFirstAvailableBlock")
    envelopes = [
        market.envelope("getBlockTime", slot) for slot in range(first, first + 200)
    ]
    assert {envelope.get("error", {}).get("code") for envelope in envelopes} == {
        None,
        -32009,
    }


def test_a_future_slot_is_not_available(market):
    assert (
        market.envelope("getBlockTime", market.rpc("getSlot") + 1000)["error"]["code"]
        == -32004
    )


def test_a_slot_before_the_first_block_is_cleaned_up(market):
    assert (
        market.envelope("getBlockTime", market.rpc("getFirstAvailableBlock") - 1)[
            "error"
        ]["code"]
        == -32001
    )


def test_get_blocks_returns_the_slots_with_blocks(market):
    start = market.rpc("getSlot") - 300
    blocks = market.rpc("getBlocks", start, start + 200)
    for slot in range(start, start + 200, 7):
        assert (slot in blocks) == ("result" in market.envelope("getBlockTime", slot))


def test_bisection_of_block_times_finds_the_launch(market, small_world):
    curve = pool_of(small_world, "ANCIENT", 0)
    first = market.rpc("getSignaturesForAddress", curve, {"limit": 1000})[-1]
    low, high, steps = market.rpc("getFirstAvailableBlock"), market.rpc("getSlot"), 0
    while high - low > 1:
        slot, block_time = first_existing(market, "getBlockTime", (low + high) // 2)
        if block_time < first["blockTime"]:
            low = slot
        else:
            high = min(slot, high - 1)
        steps += 1
    assert steps < 40
    assert abs(high - first["slot"]) <= 2


@pytest.fixture
def largest_account(market, small_world):
    """The largest token account of the first token, as a node returns it."""
    mint = next(iter(small_world.tokens))
    return market.rpc("getTokenLargestAccounts", mint)["value"][0]


def test_a_token_account_has_the_real_layout(market, small_world, largest_account):
    value = market.rpc(
        "getAccountInfo", largest_account["address"], {"encoding": "base64"}
    )["value"]
    data = b64decode(value["data"][0])
    assert len(data) == value["space"] == 165
    assert base58.encode(data[:32]) == next(iter(small_world.tokens))
    assert int.from_bytes(data[64:72], "little") == int(largest_account["amount"])


def test_a_parsed_token_account_agrees_with_its_layout(market, largest_account):
    address = largest_account["address"]
    data = b64decode(
        market.rpc("getAccountInfo", address, {"encoding": "base64"})["value"]["data"][
            0
        ]
    )
    parsed = market.rpc("getAccountInfo", address, {"encoding": "jsonParsed"})["value"][
        "data"
    ]
    assert parsed["parsed"]["info"]["owner"] == base58.encode(data[32:64])
    assert parsed["program"] == "spl-token"


def test_mints_have_the_layout_of_their_token_program(market, small_world):
    for mint, token in small_world.tokens.items():
        value = market.rpc("getMultipleAccounts", [mint], {"encoding": "base64"})[
            "value"
        ][0]
        data = b64decode(value["data"][0])
        assert value["owner"] == token.mint.program
        assert (len(data) == 82) == (token.mint.program == programs.TOKEN)
        assert int.from_bytes(data[36:44], "little") == 10**15
        assert data[44] == 6


def test_a_missing_account_is_null_at_its_index(market, small_world):
    unknown = base58.encode(bytes(range(32)))
    mint = next(iter(small_world.tokens))
    values = market.rpc("getMultipleAccounts", [unknown, mint], {"encoding": "base64"})[
        "value"
    ]
    assert values[0] is None
    assert values[1] is not None


def test_the_supply_agrees_with_the_ledger(market, small_world):
    mint, token = next(iter(small_world.tokens.items()))
    assert market.rpc("getTokenSupply", mint)["value"]["amount"] == str(10**15)
    accounts = [
        account
        for account in small_world.ledger.tokens.values()
        if account.mint is token.mint
    ]
    assert sum(account.units for account in accounts) == 10**15


def test_a_batch_is_returned_out_of_order(market):
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "getSlot", "params": []}
        for number in range(10)
    ]
    envelopes = json.loads(market.raw("POST", "/rpc", calls)[2])
    numbers = [envelope["id"] for envelope in envelopes]
    assert sorted(numbers) == list(range(10))
    assert numbers != list(range(10))


def test_an_unknown_method_is_refused_and_counted(market):
    before = market.stats()["unhandled_count"]
    assert market.envelope("getVoteAccounts")["error"]["code"] == -32601
    assert market.stats()["unhandled_count"] == before + 1


def test_an_unknown_field_is_refused_and_counted(market):
    before = market.stats()["unhandled_count"]
    assert market.envelope("getSlot", {"nonsense": 1})["error"]["code"] == -32602
    after = market.stats()
    assert after["unhandled_count"] == before + 1
    assert "nonsense" in after["unhandled"][-1]


def test_broken_json_is_a_parse_error(market):
    assert json.loads(market.raw("POST", "/rpc", b"{")[2])["error"]["code"] == -32700
