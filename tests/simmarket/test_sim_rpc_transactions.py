"""Transactions of the Solana node, compared to captured ones and to the ledger."""

import json

import pytest

from simmarket.chain import base58, programs

NEWEST = {"maxSupportedTransactionVersion": 1}


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
