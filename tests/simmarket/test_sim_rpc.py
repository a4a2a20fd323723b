"""The Solana node: shapes against captured payloads, paging, slots, accounts, batches."""

import json
from base64 import b64decode

import pytest

from simmarket.chain import base58, programs

NEWEST = {"maxSupportedTransactionVersion": 1}


def _pool(world, symbol, place=1):
    token = next(token for token in world.tokens.values() if token.symbol == symbol)
    return world.accounts.address(token.pools[place].account)


def _all_signatures(market, address, **config):
    rows, before = [], None
    while True:
        page = market.rpc("getSignaturesForAddress", address, {**config, **({"before": before} if before else {})})
        rows += page
        if len(page) < config.get("limit", 1000):
            return rows
        before = page[-1]["signature"]


def _real(real_data, encoding):
    for path in sorted((real_data / "transactions" / "rpc").glob("*.json")):
        transaction = json.loads(path.read_text())
        parsed = isinstance(transaction["transaction"]["message"]["accountKeys"][0], dict)
        if parsed == (encoding == "jsonParsed") and transaction.get("version") == 0 and "slot" in transaction:
            yield transaction


def _keys(value, path=""):
    """Every key path of a payload; list items share one path."""
    if isinstance(value, dict):
        found = set()
        for key, entry in value.items():
            found |= {f"{path}.{key}"} | _keys(entry, f"{path}.{key}")
        return found
    if isinstance(value, list):
        return set().union(*(_keys(entry, f"{path}[]") for entry in value)) if value else set()
    return set()


@pytest.mark.parametrize("encoding", ["json", "jsonParsed"])
def test_a_transaction_has_only_keys_that_real_ones_have(market, small_world, real_data, encoding):
    real = set().union(*(_keys(transaction) for transaction in _real(real_data, encoding)))
    seen = set()
    for transaction in small_world.transactions[::40]:
        if transaction.version != 1:
            seen |= _keys(market.rpc("getTransaction", transaction.signature, {**NEWEST, "encoding": encoding}))
    strange = {key for key in seen - real if ".parsed.info." not in key}
    assert strange == set()
    shared = set.intersection(*(_keys({k: t[k] for k in t if k != "meta"}) for t in _real(real_data, encoding)))
    assert {key for key in shared if ".parsed" not in key} <= seen


def test_key_types_match_a_captured_transaction(market, small_world, real_data):
    real = next(_real(real_data, "json"))
    ours = market.rpc("getTransaction", small_world.transactions[2000].signature, NEWEST)
    for key in ("slot", "blockTime", "transaction", "meta"):
        assert type(ours[key]) is type(real[key])
    for key, value in real["meta"].items():
        if value is not None and key in ours["meta"] and ours["meta"][key] is not None:
            assert type(ours["meta"][key]) is type(value), key


def test_balances_of_a_transaction_are_those_of_the_ledger(market, small_world):
    for transaction in small_world.transactions[1000:3000:97]:
        shown = market.rpc("getTransaction", transaction.signature, NEWEST)
        assert sum(shown["meta"]["preBalances"]) - sum(shown["meta"]["postBalances"]) == transaction.fee
        loaded = shown["meta"]["loadedAddresses"]
        keys = shown["transaction"]["message"]["accountKeys"] + loaded["writable"] + loaded["readonly"]
        assert keys == [small_world.accounts.address(account) for account in transaction.all_keys]
        for row in shown["meta"]["postTokenBalances"]:
            account = small_world.accounts.find(keys[row["accountIndex"]])
            assert account == transaction.all_keys[row["accountIndex"]]
            assert row["uiTokenAmount"]["amount"].isdigit()


def test_json_and_json_parsed_agree_on_keys_and_signers(market, small_world):
    for transaction in small_world.transactions[1500:2500:111]:
        plain = market.rpc("getTransaction", transaction.signature, NEWEST)
        parsed = market.rpc("getTransaction", transaction.signature, {**NEWEST, "encoding": "jsonParsed"})
        header = plain["transaction"]["message"]["header"]
        keys = parsed["transaction"]["message"]["accountKeys"]
        assert [key["pubkey"] for key in keys if key["source"] == "transaction"] == plain["transaction"]["message"][
            "accountKeys"
        ]
        assert (
            sum(key["signer"] for key in keys)
            == header["numRequiredSignatures"]
            == len(plain["transaction"]["signatures"])
        )


def test_transfer_instructions_carry_the_units_that_moved(market, small_world):
    created = {t.signature for t in small_world.transactions if t.signers > 1}
    for transaction in small_world.transactions[2000:2300]:
        shown = market.rpc("getTransaction", transaction.signature, NEWEST)
        keys = [small_world.accounts.address(account) for account in transaction.all_keys]
        moved = dict.fromkeys(range(len(keys)), 0)
        steps = [step for group in shown["meta"]["innerInstructions"] for step in group["instructions"]]
        for step in steps + shown["transaction"]["message"]["instructions"]:
            data = base58.decode(step["data"])
            if keys[step["programIdIndex"]] in {programs.TOKEN, programs.TOKEN_2022} and data[0] == 12:
                units = int.from_bytes(data[1:9], "little")
                moved[step["accounts"][0]] -= units
                moved[step["accounts"][2]] += units
        for row in transaction.tokens:
            if (
                row.mint is not small_world.ledger.native
                and not transaction.error
                and transaction.signature not in created
            ):
                assert (row.post or 0) - (row.pre or 0) == moved[row.key]


def test_a_version_the_caller_does_not_declare_is_refused(market, small_world):
    for version, supported in ((0, None), (1, 0)):
        signature = next(t.signature for t in small_world.transactions if t.version == version)
        config = {} if supported is None else {"maxSupportedTransactionVersion": supported}
        assert market.envelope("getTransaction", signature, config)["error"]["code"] == -32015


def test_an_unknown_signature_is_null(market):
    assert market.rpc("getTransaction", base58.encode(bytes(range(64)))) is None


def test_a_version_1_message_has_its_configuration_instead_of_budget_instructions(market, small_world):
    wanted = next(t for t in small_world.transactions if t.version == 1 and t.priority_lamports)
    shown = market.rpc("getTransaction", wanted.signature, NEWEST)
    message = shown["transaction"]["message"]
    assert message["transactionConfig"]["priorityFee"] == wanted.priority_lamports
    assert programs.COMPUTE_BUDGET not in message["accountKeys"]


def test_signature_rows_look_like_captured_ones(market, small_world, real_data):
    real = json.loads((real_data / "http" / "solana_rpc" / "get_txids_792ff1.json").read_text())["result"][0]
    row = market.rpc("getSignaturesForAddress", _pool(small_world, "TWINS"), {"limit": 1})[0]
    assert set(row) == set(real)


def test_pages_of_signatures_join_without_gap_or_repeat(market, small_world):
    pool = _pool(small_world, "TWINS")
    whole = _all_signatures(market, pool)
    assert _all_signatures(market, pool, limit=37) == whole
    places = [small_world.place_of(row["signature"]) for row in whole]
    assert places == sorted(places, reverse=True)
    assert any(row["err"] for row in whole)


def test_until_ends_a_page_before_that_signature(market, small_world):
    pool = _pool(small_world, "TWINS")
    whole = _all_signatures(market, pool)
    assert market.rpc("getSignaturesForAddress", pool, {"until": whole[20]["signature"]}) == whole[:20]


def test_any_signature_of_a_block_is_a_cursor(market, small_world):
    pool = _pool(small_world, "TWINS")
    whole = _all_signatures(market, pool)
    slot = whole[50]["slot"] + 1
    while "error" in (
        block := market.envelope("getBlock", slot, {"transactionDetails": "signatures", "rewards": False})
    ):
        slot += 1
    cursor = block["result"]["signatures"][-1]
    page = market.rpc("getSignaturesForAddress", pool, {"before": cursor})
    assert page == [row for row in whole if row["slot"] <= slot]


def test_a_block_lists_its_transactions_in_order(market, small_world):
    crowded = next(t.slot for t in small_world.transactions if t.index == 1)
    block = market.rpc("getBlock", crowded, {"transactionDetails": "signatures", "rewards": False})
    own = [small_world.transactions[place].signature for place in small_world.in_slot(crowded)]
    assert block["signatures"][: len(own)] == own
    assert len(block["signatures"]) > len(own)


def test_block_times_rise_with_the_slots_and_skipped_slots_say_so(market):
    slot = market.rpc("getSlot")
    times, codes = [], set()
    for each in range(slot - 400, slot):
        answer = market.envelope("getBlockTime", each)
        if "error" in answer:
            codes.add(answer["error"]["code"])
        else:
            times.append(answer["result"])
    assert codes == {-32007}
    assert times == sorted(times)
    assert len(times) > 350
    assert market.envelope("getBlockTime", slot - 3_000_000 - slot % 43)["jsonrpc"] == "2.0"


def test_old_skipped_slots_are_missing_in_long_term_storage(market):
    first = market.rpc("getFirstAvailableBlock")
    codes = {market.envelope("getBlockTime", slot).get("error", {}).get("code") for slot in range(first, first + 200)}
    assert codes == {None, -32009}


def test_the_future_and_the_distant_past_are_not_available(market):
    assert market.envelope("getBlockTime", market.rpc("getSlot") + 1000)["error"]["code"] == -32004
    assert market.envelope("getBlockTime", market.rpc("getFirstAvailableBlock") - 1)["error"]["code"] == -32001


def test_get_blocks_names_the_slots_that_have_blocks(market):
    start = market.rpc("getSlot") - 300
    blocks = market.rpc("getBlocks", start, start + 200)
    for slot in range(start, start + 200, 7):
        assert (slot in blocks) == ("result" in market.envelope("getBlockTime", slot))


def test_block_time_bisection_finds_the_launch(market, small_world):
    signature = market.rpc("getSignaturesForAddress", _pool(small_world, "ANCIENT", 0), {"limit": 1000})[-1]
    low, high, steps = market.rpc("getFirstAvailableBlock"), market.rpc("getSlot"), 0
    while high - low > 1:
        middle = (low + high) // 2
        while "error" in (answer := market.envelope("getBlockTime", middle)):
            middle += 1
        low, high = (middle, high) if answer["result"] < signature["blockTime"] else (low, min(middle, high - 1))
        steps += 1
    assert steps < 40
    assert abs(high - signature["slot"]) <= 2


def test_a_token_account_has_the_real_layout(market, small_world):
    token = next(iter(small_world.tokens.values()))
    top = market.rpc("getTokenLargestAccounts", small_world.accounts.address(token.mint.account))["value"][0]
    value = market.rpc("getAccountInfo", top["address"], {"encoding": "base64"})["value"]
    data = b64decode(value["data"][0])
    assert len(data) == value["space"] == 165
    assert base58.encode(data[:32]) == small_world.accounts.address(token.mint.account)
    assert int.from_bytes(data[64:72], "little") == int(top["amount"])
    parsed = market.rpc("getAccountInfo", top["address"], {"encoding": "jsonParsed"})["value"]["data"]
    assert parsed["parsed"]["info"]["owner"] == base58.encode(data[32:64])
    assert parsed["program"] == "spl-token"


def test_mints_are_owned_by_their_token_program(market, small_world):
    for mint, token in small_world.tokens.items():
        value = market.rpc("getMultipleAccounts", [mint], {"encoding": "base64"})["value"][0]
        data = b64decode(value["data"][0])
        assert value["owner"] == token.mint.program
        assert (len(data) == 82) == (token.mint.program == programs.TOKEN)
        assert int.from_bytes(data[36:44], "little") == 10**15
        assert data[44] == 6


def test_a_missing_account_is_null_in_its_place(market, small_world):
    stranger = base58.encode(bytes(range(32)))
    mint = next(iter(small_world.tokens))
    values = market.rpc("getMultipleAccounts", [stranger, mint], {"encoding": "base64"})["value"]
    assert values[0] is None
    assert values[1] is not None


def test_supply_and_largest_accounts_agree_with_the_ledger(market, small_world):
    mint, token = next(iter(small_world.tokens.items()))
    assert market.rpc("getTokenSupply", mint)["value"]["amount"] == str(10**15)
    held = sum(a.units for a in small_world.ledger.tokens.values() if a.mint is token.mint)
    assert held == 10**15


def test_a_batch_is_answered_out_of_order(market):
    calls = [{"jsonrpc": "2.0", "id": number, "method": "getSlot", "params": []} for number in range(10)]
    answers = json.loads(market.raw("POST", "/rpc", calls)[2])
    numbers = [answer["id"] for answer in answers]
    assert sorted(numbers) == list(range(10))
    assert numbers != list(range(10))


def test_an_unknown_method_or_field_is_refused_and_counted(market):
    before = market.stats()["unhandled_count"]
    assert market.envelope("getVoteAccounts")["error"]["code"] == -32601
    assert market.envelope("getSlot", {"nonsense": 1})["error"]["code"] == -32602
    after = market.stats()
    assert after["unhandled_count"] == before + 2
    assert "nonsense" in after["unhandled"][-1]


def test_broken_json_is_a_parse_error(market):
    assert json.loads(market.raw("POST", "/rpc", b"{")[2])["error"]["code"] == -32700
