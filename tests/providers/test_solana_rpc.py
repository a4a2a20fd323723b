"""The methods of a node against a node that refuses batches, skips slots, forgets and lies."""

import base64
from decimal import Decimal

import pytest
from local_server import Line, RpcFault, of, talk_rpc

from discovery.clients.usage import BudgetSpent, RunMeter
from discovery.providers.errors import BadPayload, KeyRefused, NotFound, ServerFailed

OWNER = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


def transaction(signature, **fields):
    return {
        "slot": 7,
        "blockTime": 1_790_000_000,
        "transaction": {"signatures": [signature], "message": {"accountKeys": ["a"]}},
        "meta": {"err": None, "fee": 5000, "preBalances": [1], "postBalances": [1]},
        **fields,
    }


def fetch(url, signatures, line=None):
    """(records by signature, rejected with their causes, whether batches are taken)."""
    rejected = {}

    async def work(rpc):
        found = await rpc.transactions(signatures, rejected.__setitem__)
        return found, rejected, rpc.batches

    return talk_rpc(url, work, line=line)


def names(count):
    return [f"s{number:03}" for number in range(count)]


def test_transactions_are_fetched_in_batches_of_a_hundred(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    found, rejected, batches = fetch(server.url, names(250))
    assert (sorted(found), rejected, batches) == (names(250), {}, True)
    assert sorted(len(request.json) for request in server.asked) == [50, 100, 100]


def test_where_batches_are_refused_each_is_asked_singly(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    single = server.answer
    server.answer = lambda request: (
        of({"id": None, "error": {"code": -32403, "message": "paid plan"}}, 403)
        if isinstance(request.json, list)
        else single(request)
    )
    found, rejected, batches = fetch(server.url, names(5))
    assert (sorted(found), rejected, batches) == (names(5), {}, False)
    assert server.methods() == ["[getTransaction]"] * 5 + ["getTransaction"] * 5


def test_a_server_that_begins_to_refuse_batches_is_asked_singly_from_then_on(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    plain = server.answer

    def answer(request):
        batches = sum(isinstance(asked.json, list) for asked in server.asked)
        if isinstance(request.json, list) and batches > 1:
            return of({"id": None, "error": {"code": -32403, "message": "paid plan"}}, 403)
        return plain(request)

    server.answer = answer
    found, _, batches = fetch(server.url, names(120))
    assert (sorted(found), batches) == (names(120), False)


def test_one_signature_needs_no_batch(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    assert list(fetch(server.url, ["s"])[0]) == ["s"]
    assert server.methods() == ["getTransaction"]


@pytest.mark.parametrize("count", [1, 3])
def test_an_unknown_transaction_is_told_and_skipped(server, count):
    server.rpc({"getTransaction": lambda signature, _: None if signature == "s000" else transaction(signature)})
    found, rejected, _ = fetch(server.url, names(count))
    assert sorted(found) == names(count)[1:]
    assert rejected == {"s000": "unknown to the node"}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "result",
    [
        {"unexpected": "shape"},
        "?",
        7,
        transaction("s000", slot="not a slot"),
        transaction("s000", meta={"fee": 1.5}),
        transaction("somebody else's"),
        transaction("s000", transaction={"signatures": [], "message": {"accountKeys": []}}),
    ],
    ids=range(7),
)
def test_a_garbled_transaction_is_told_and_skipped(server, count, result):
    server.rpc({"getTransaction": lambda signature, _: result if signature == "s000" else transaction(signature)})
    found, rejected, _ = fetch(server.url, names(count))
    assert sorted(found) == names(count)[1:]
    assert list(rejected) == ["s000"]
    assert rejected["s000"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_transaction_the_node_refuses_to_give_is_told_and_skipped(server, count):
    def get(signature, _):
        if signature == "s000":
            raise RpcFault(-32015, "Transaction version (2) is not supported by the requesting client")
        return transaction(signature)

    server.rpc({"getTransaction": get})
    found, rejected, _ = fetch(server.url, names(count))
    assert sorted(found) == names(count)[1:]
    assert "-32015" in rejected["s000"]


def test_a_transaction_that_never_comes_whole_is_told_and_skipped(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    good = server.answer

    def answer(request):
        reply = good(request)
        if isinstance(request.json, dict):
            reply.body = reply.body[:50]
        elif isinstance(request.json, list):
            reply.body = reply.body.replace(b'"id": 0', b'"id": 99')
        return reply

    server.answer = answer
    found, rejected, _ = fetch(server.url, names(3))
    assert sorted(found) == ["s001", "s002"]
    assert rejected == {"s000": "answer is not JSON"}


def test_single_items_of_a_batch_that_failed_in_passing_are_asked_again(server):
    failing = {"s001", "s003"}

    def get(signature, _):
        if signature in failing:
            failing.remove(signature)
            raise RpcFault(-32005, "Node is behind by 42 slots")
        return transaction(signature)

    server.rpc({"getTransaction": get})
    found, rejected, _ = fetch(server.url, names(4))
    assert (sorted(found), rejected) == (names(4), {})
    assert len(server.methods()) == 6


def test_a_node_that_stays_away_ends_the_question(server):
    def get(signature, _):
        raise RpcFault(-32005, "Node is unhealthy")

    server.rpc({"getTransaction": get})
    with pytest.raises(ServerFailed):
        fetch(server.url, names(3))


def test_a_refused_key_ends_the_question(server):
    server.replies = [of({"error": {"code": -32401, "message": "Unauthorized"}}, 401)]
    with pytest.raises(KeyRefused):
        fetch(server.url, names(3))
    assert len(server.asked) == 1


def test_a_spent_budget_ends_all_that_waits(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    line = Line(RunMeter(most_calls=150))
    with pytest.raises(BudgetSpent):
        fetch(server.url, names(500), line)
    assert line.meter.total_calls <= 150


def test_transactions_of_any_version_are_asked_for(server):
    server.rpc({"getTransaction": lambda signature, _: transaction(signature)})
    fetch(server.url, ["s"])
    assert server.asked[0].json["params"][1]["maxSupportedTransactionVersion"] == 1


def test_signature_rows_keep_failure_and_a_missing_time(server):
    rows = [
        {"signature": "b", "slot": 9, "err": {"InstructionError": [0, {"Custom": 1}]}, "blockTime": None, "memo": None},
        {"signature": "a", "slot": 8, "err": None, "blockTime": 5, "confirmationStatus": "finalized"},
    ]
    server.rpc({"getSignaturesForAddress": lambda *_: rows})
    found = talk_rpc(server.url, lambda rpc: rpc.signatures("x"))
    assert [(row.signature, row.slot, row.failed, row.block_time) for row in found] == [
        ("b", 9, True, None),
        ("a", 8, False, 5),
    ]


@pytest.mark.parametrize("result", [None, {}, [{"slot": 1}], [7]])
def test_a_garbled_list_of_signatures_is_a_bad_payload(server, result):
    server.rpc({"getSignaturesForAddress": lambda *_: result})
    with pytest.raises(BadPayload, match="not as documented"):
        talk_rpc(server.url, lambda rpc: rpc.signatures("x"))


def account(data, lamports=2_039_280):
    return {"lamports": lamports, "owner": OWNER, "data": [data, "base64"], "executable": False, "space": 165}


def accounts(server, values):
    server.rpc({"getMultipleAccounts": lambda *_: {"context": {"slot": 1}, "value": values}})
    return talk_rpc(server.url, lambda rpc: rpc.accounts([f"a{n}" for n in range(len(values))]))


def test_accounts_come_in_the_order_asked_with_none_for_missing(server):
    first, missing = accounts(server, [account(base64.b64encode(b"123").decode()), None])
    assert (first.owner, first.lamports, first.data) == (OWNER, 2_039_280, b"123")
    assert missing is None


def test_many_accounts_are_asked_a_hundred_a_call(server):
    server.rpc({"getMultipleAccounts": lambda asked, _: {"value": [account("", int(name)) for name in asked]}})
    found = talk_rpc(server.url, lambda rpc: rpc.accounts([str(n) for n in range(230)]))
    assert [row.lamports for row in found] == list(range(230))
    assert sorted(len(request.json["params"][0]) for request in server.asked) == [30, 100, 100]


@pytest.mark.parametrize(
    "value", [account("abc"), account("ä"), {"lamports": 1}, {**account(""), "data": {"parsed": 1}}]
)
def test_a_garbled_account_is_a_bad_payload(server, value):
    with pytest.raises(BadPayload):
        accounts(server, [value])


def test_fewer_accounts_than_asked_for_is_a_bad_payload(server):
    server.rpc({"getMultipleAccounts": lambda *_: {"value": []}})
    with pytest.raises(BadPayload, match="fewer"):
        talk_rpc(server.url, lambda rpc: rpc.accounts(["a"]))


def test_a_block_has_a_time_none_or_was_skipped(server):
    def time_of(slot):
        if slot == 3:
            raise RpcFault(-32009, "Slot 3 was skipped, or missing in long-term storage")
        return {1: 100, 2: None}[slot]

    server.rpc({"getBlockTime": time_of})

    async def work(rpc):
        with pytest.raises(NotFound):
            await rpc.block_time(3)
        return await rpc.block_time(1), await rpc.block_time(2)

    assert talk_rpc(server.url, work) == (100, None)


def test_a_time_that_is_no_number_is_a_bad_payload(server):
    server.rpc({"getBlockTime": lambda _: "yesterday"})
    with pytest.raises(BadPayload):
        talk_rpc(server.url, lambda rpc: rpc.block_time(1))


def test_amounts_stay_the_digits_of_the_wire(server):
    balance = {
        "accountIndex": 0,
        "mint": "m",
        "owner": "o",
        "programId": OWNER,
        "uiTokenAmount": {"amount": "18446744073709551615", "decimals": 9, "uiAmount": None, "uiAmountString": "?"},
    }
    meta = {"err": None, "fee": 5000, "preBalances": [2**63 - 1], "postBalances": [1], "postTokenBalances": [balance]}
    server.rpc({"getTransaction": lambda signature, _: transaction(signature, meta=meta)})
    record = fetch(server.url, ["s"])[0]["s"]
    assert record.meta.pre_balances == [2**63 - 1]
    assert Decimal(record.meta.post_token_balances[0].ui_token_amount.amount) == 2**64 - 1


def test_lamports_beyond_what_can_exist_are_no_record(server):
    meta = {"err": None, "fee": 5000, "preBalances": [2**63], "postBalances": [1]}
    server.rpc({"getTransaction": lambda signature, _: transaction(signature, meta=meta)})
    found, rejected, _ = fetch(server.url, ["s"])
    assert found == {}
    assert list(rejected) == ["s"]
