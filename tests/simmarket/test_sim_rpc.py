"""The Solana node: shapes compared to captured payloads, paging, slots, accounts,
batches.
"""

import json
from base64 import b64decode

import pytest

from simmarket.chain import base58, programs

NEWEST = {"maxSupportedTransactionVersion": 1}
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


def captured_transactions(real_data, encoding):
    """Return the captured version 0 transactions in an encoding."""
    transactions = []
    for path in sorted((real_data / "transactions" / "rpc").glob("*.json")):
        transaction = json.loads(path.read_text())
        is_parsed = isinstance(
            transaction["transaction"]["message"]["accountKeys"][0], dict
        )
        is_complete = transaction.get("version") == 0 and "slot" in transaction
        if is_complete and is_parsed == (encoding == "jsonParsed"):
            transactions.append(transaction)
    return transactions


def key_paths(value, path=""):
    """Return every key path of a payload; list items share one path."""
    paths = set()
    if isinstance(value, dict):
        for key, entry in value.items():
            paths |= {f"{path}.{key}"} | key_paths(entry, f"{path}.{key}")
    if isinstance(value, list):
        for entry in value:
            paths |= key_paths(entry, f"{path}[]")
    return paths


def served_key_paths(market, world, encoding):
    """Return the key paths of every 40th transaction."""
    paths = set()
    for transaction in world.transactions[::40]:
        if transaction.version != 1:
            served = market.rpc(
                "getTransaction",
                transaction.signature,
                {**NEWEST, "encoding": encoding},
            )
            paths |= key_paths(served)
    return paths


@pytest.mark.parametrize("encoding", ["json", "jsonParsed"])
def test_a_transaction_has_only_keys_that_captured_ones_have(
    market, small_world, real_data, encoding
):
    captured = set().union(
        *(key_paths(each) for each in captured_transactions(real_data, encoding))
    )
    unknown = served_key_paths(market, small_world, encoding) - captured
    assert {path for path in unknown if ".parsed.info." not in path} == set()


@pytest.mark.parametrize("encoding", ["json", "jsonParsed"])
def test_a_transaction_has_the_keys_that_all_captured_ones_share(
    market, small_world, real_data, encoding
):
    without_meta = [
        {**each, "meta": {}} for each in captured_transactions(real_data, encoding)
    ]
    shared = set.intersection(*(key_paths(each) for each in without_meta))
    assert {path for path in shared if ".parsed" not in path} <= served_key_paths(
        market, small_world, encoding
    )


def test_value_types_match_a_captured_transaction(market, small_world, real_data):
    captured = captured_transactions(real_data, "json")[0]
    served = market.rpc(
        "getTransaction", small_world.transactions[2000].signature, NEWEST
    )
    for key in ("slot", "blockTime", "transaction", "meta"):
        assert type(served[key]) is type(captured[key])
    for key, value in captured["meta"].items():
        if value is not None and served["meta"].get(key) is not None:
            assert type(served["meta"][key]) is type(value), key


def test_balances_of_a_transaction_are_those_of_the_ledger(market, small_world):
    for transaction in small_world.transactions[1000:3000:97]:
        meta = market.rpc("getTransaction", transaction.signature, NEWEST)["meta"]
        assert (
            sum(meta["preBalances"]) - sum(meta["postBalances"])
            == transaction.fee_lamports
        )


def test_keys_of_a_transaction_are_those_of_the_ledger(market, small_world):
    for transaction in small_world.transactions[1000:3000:97]:
        served = market.rpc("getTransaction", transaction.signature, NEWEST)
        loaded = served["meta"]["loadedAddresses"]
        keys = (
            served["transaction"]["message"]["accountKeys"]
            + loaded["writable"]
            + loaded["readonly"]
        )
        assert keys == [
            small_world.accounts.address(account) for account in transaction.all_keys
        ]
        for row in served["meta"]["postTokenBalances"]:
            account = small_world.accounts.find(keys[row["accountIndex"]])
            assert account == transaction.all_keys[row["accountIndex"]]
            assert row["uiTokenAmount"]["amount"].isdigit()


def test_json_and_json_parsed_agree_on_keys_and_signers(market, small_world):
    for transaction in small_world.transactions[1500:2500:111]:
        plain = market.rpc("getTransaction", transaction.signature, NEWEST)[
            "transaction"
        ]
        parsed = market.rpc(
            "getTransaction",
            transaction.signature,
            {**NEWEST, "encoding": "jsonParsed"},
        )
        keys = parsed["transaction"]["message"]["accountKeys"]
        static_keys = [key["pubkey"] for key in keys if key["source"] == "transaction"]
        assert static_keys == plain["message"]["accountKeys"]
        signer_count = sum(key["signer"] for key in keys)
        assert (
            signer_count
            == plain["message"]["header"]["numRequiredSignatures"]
            == len(plain["signatures"])
        )


def transferred_units(served, keys):
    """Return the net units of the Token transfers in a transaction by key index."""
    steps = list(served["transaction"]["message"]["instructions"])
    for group in served["meta"]["innerInstructions"]:
        steps += group["instructions"]
    changes = dict.fromkeys(range(len(keys)), 0)
    for step in steps:
        data = base58.decode(step["data"])
        if (
            keys[step["programIdIndex"]] in {programs.TOKEN, programs.TOKEN_2022}
            and data[0] == 12
        ):
            units = int.from_bytes(data[1:9], "little")
            changes[step["accounts"][0]] -= units
            changes[step["accounts"][2]] += units
    return changes


def test_transfer_instructions_contain_the_units_that_moved(market, small_world):
    native = small_world.ledger.native
    for transaction in small_world.transactions[2000:2300]:
        is_creation = transaction.signer_count > 1
        if transaction.error or is_creation:
            continue
        served = market.rpc("getTransaction", transaction.signature, NEWEST)
        keys = [
            small_world.accounts.address(account) for account in transaction.all_keys
        ]
        changes = transferred_units(served, keys)
        for row in transaction.tokens:
            if row.mint is not native:
                assert (row.post_units or 0) - (row.pre_units or 0) == changes[row.key]


@pytest.mark.parametrize(
    ("version", "config"), [(0, {}), (1, {"maxSupportedTransactionVersion": 0})]
)
def test_a_version_that_the_caller_does_not_declare_is_refused(
    market, small_world, version, config
):
    signature = next(
        t.signature for t in small_world.transactions if t.version == version
    )
    assert (
        market.envelope("getTransaction", signature, config)["error"]["code"] == -32015
    )


def test_an_unknown_signature_is_null(market):
    assert market.rpc("getTransaction", base58.encode(bytes(range(64)))) is None


def test_a_version_1_message_has_its_priority_fee_in_its_configuration(
    market, small_world
):
    transaction = next(
        t for t in small_world.transactions if t.version == 1 and t.priority_lamports
    )
    message = market.rpc("getTransaction", transaction.signature, NEWEST)[
        "transaction"
    ]["message"]
    assert message["transactionConfig"]["priorityFee"] == transaction.priority_lamports
    assert programs.COMPUTE_BUDGET not in message["accountKeys"]


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
