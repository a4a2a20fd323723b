"""The client of a node against a node that refuses batches, skips slots, and sends
wrong or no data.
"""

import base64
from decimal import Decimal

import pytest

from discovery.clients.usage import BudgetExhausted, UsageMeter
from discovery.providers.errors import BadPayload, KeyRefused, NotFound, ServerFailed
from tests.providers.local_server import ClientSetup, RpcFault, json_reply, run_rpc

OWNER = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


def transaction(signature, **fields):
    return {
        "slot": 7,
        "blockTime": 1_790_000_000,
        "transaction": {"signatures": [signature], "message": {"accountKeys": ["a"]}},
        "meta": {"err": None, "fee": 5000, "preBalances": [1], "postBalances": [1]},
        **fields,
    }


def fetch(url, signatures, setup=None):
    """Return the records by signature, the causes of rejected signatures, and whether
    the server accepts batches.
    """

    async def work(rpc):
        fetched = await rpc.transactions(signatures)
        return fetched.records, fetched.rejected, rpc.accepts_batches

    return run_rpc(url, work, setup=setup)


def names(count):
    return [f"s{number:03}" for number in range(count)]


def test_transactions_are_fetched_in_batches_of_a_hundred(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    records, rejected, batches = fetch(server.url, names(250))
    assert (sorted(records), rejected, batches) == (names(250), {}, True)
    assert sorted(len(request.json) for request in server.requests) == [50, 100, 100]


def test_where_batches_are_refused_transactions_are_fetched_singly(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    single = server.answer
    server.answer = lambda request: (
        json_reply({"id": None, "error": {"code": -32403, "message": "paid plan"}}, 403)
        if isinstance(request.json, list)
        else single(request)
    )
    records, rejected, batches = fetch(server.url, names(5))
    assert (sorted(records), rejected, batches) == (names(5), {}, False)
    assert server.methods() == ["[getTransaction]"] * 5 + ["getTransaction"] * 5


def test_a_server_that_starts_to_refuse_batches_gets_single_calls_from_then_on(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    plain = server.answer

    def answer(request):
        batches = sum(isinstance(received.json, list) for received in server.requests)
        if isinstance(request.json, list) and batches > 1:
            return json_reply(
                {"id": None, "error": {"code": -32403, "message": "paid plan"}}, 403
            )
        return plain(request)

    server.answer = answer
    records, _, batches = fetch(server.url, names(120))
    assert (sorted(records), batches) == (names(120), False)


def test_one_signature_needs_no_batch(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    assert list(fetch(server.url, ["s"])[0]) == ["s"]
    assert server.methods() == ["getTransaction"]


@pytest.mark.parametrize("count", [1, 3])
def test_an_unknown_transaction_is_rejected(server, count):
    server.serve_rpc(
        {
            "getTransaction": lambda signature, _: (
                None if signature == "s000" else transaction(signature)
            )
        }
    )
    records, rejected, _ = fetch(server.url, names(count))
    assert sorted(records) == names(count)[1:]
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
        transaction(
            "s000", transaction={"signatures": [], "message": {"accountKeys": []}}
        ),
    ],
    ids=range(7),
)
def test_a_garbled_transaction_is_rejected(server, count, result):
    server.serve_rpc(
        {
            "getTransaction": lambda signature, _: (
                result if signature == "s000" else transaction(signature)
            )
        }
    )
    records, rejected, _ = fetch(server.url, names(count))
    assert sorted(records) == names(count)[1:]
    assert list(rejected) == ["s000"]
    assert rejected["s000"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_transaction_that_the_node_refuses_is_rejected(server, count):
    def get(signature, _):
        if signature == "s000":
            raise RpcFault(
                -32015,
                "Transaction version (2) is not supported by the requesting client",
            )
        return transaction(signature)

    server.serve_rpc({"getTransaction": get})
    records, rejected, _ = fetch(server.url, names(count))
    assert sorted(records) == names(count)[1:]
    assert "-32015" in rejected["s000"]


def test_a_transaction_that_is_always_truncated_is_rejected(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    good = server.answer

    def answer(request):
        reply = good(request)
        if isinstance(request.json, dict):
            reply.body = reply.body[:50]
        elif isinstance(request.json, list):
            reply.body = reply.body.replace(b'"id": 0', b'"id": 99')
        return reply

    server.answer = answer
    records, rejected, _ = fetch(server.url, names(3))
    assert sorted(records) == ["s001", "s002"]
    assert rejected == {"s000": "response is not JSON"}


def test_items_of_a_batch_that_failed_in_passing_are_fetched_again(server):
    failing = {"s001", "s003"}

    def get(signature, _):
        if signature in failing:
            failing.remove(signature)
            raise RpcFault(-32005, "Node is behind by 42 slots")
        return transaction(signature)

    server.serve_rpc({"getTransaction": get})
    records, rejected, _ = fetch(server.url, names(4))
    assert (sorted(records), rejected) == (names(4), {})
    assert len(server.methods()) == 6


def test_a_node_that_stays_unhealthy_fails_the_request(server):
    def get(signature, _):
        raise RpcFault(-32005, "Node is unhealthy")

    server.serve_rpc({"getTransaction": get})
    with pytest.raises(ServerFailed):
        fetch(server.url, names(3))


def test_a_refused_key_fails_the_request(server):
    server.replies = [
        json_reply({"error": {"code": -32401, "message": "Unauthorized"}}, 401)
    ]
    with pytest.raises(KeyRefused):
        fetch(server.url, names(3))
    assert len(server.requests) == 1


def test_an_exhausted_budget_ends_all_waiting_requests(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    setup = ClientSetup(UsageMeter(max_calls=150))
    with pytest.raises(BudgetExhausted):
        fetch(server.url, names(500), setup)
    assert setup.meter.total_calls <= 150


def test_transactions_of_any_version_are_requested(server):
    server.serve_rpc({"getTransaction": lambda signature, _: transaction(signature)})
    fetch(server.url, ["s"])
    assert server.requests[0].json["params"][1]["maxSupportedTransactionVersion"] == 1


def test_signature_rows_contain_failures_and_missing_times(server):
    rows = [
        {
            "signature": "b",
            "slot": 9,
            "err": {"InstructionError": [0, {"Custom": 1}]},
            "blockTime": None,
            "memo": None,
        },
        {
            "signature": "a",
            "slot": 8,
            "err": None,
            "blockTime": 5,
            "confirmationStatus": "finalized",
        },
    ]
    server.serve_rpc({"getSignaturesForAddress": lambda *_: rows})
    signature_rows = run_rpc(server.url, lambda rpc: rpc.signatures("x"))
    assert [
        (row.signature, row.slot, row.failed, row.block_time) for row in signature_rows
    ] == [
        ("b", 9, True, None),
        ("a", 8, False, 5),
    ]


@pytest.mark.parametrize("result", [None, {}, [{"slot": 1}], [7]])
def test_a_garbled_list_of_signatures_is_a_bad_payload(server, result):
    server.serve_rpc({"getSignaturesForAddress": lambda *_: result})
    with pytest.raises(BadPayload, match="not as documented"):
        run_rpc(server.url, lambda rpc: rpc.signatures("x"))


def account(data, lamports=2_039_280):
    return {
        "lamports": lamports,
        "owner": OWNER,
        "data": [data, "base64"],
        "executable": False,
        "space": 165,
    }


def accounts(server, values):
    server.serve_rpc(
        {"getMultipleAccounts": lambda *_: {"context": {"slot": 1}, "value": values}}
    )
    return run_rpc(
        server.url, lambda rpc: rpc.accounts([f"a{n}" for n in range(len(values))])
    )


def test_accounts_have_the_order_of_the_addresses_with_none_for_missing(server):
    first, missing = accounts(
        server, [account(base64.b64encode(b"123").decode()), None]
    )
    assert (first.owner, first.lamports, first.data) == (OWNER, 2_039_280, b"123")
    assert missing is None


def test_accounts_are_requested_a_hundred_a_call(server):
    server.serve_rpc(
        {
            "getMultipleAccounts": lambda names, _: {
                "value": [account("", int(name)) for name in names]
            }
        }
    )
    rows = run_rpc(server.url, lambda rpc: rpc.accounts([str(n) for n in range(230)]))
    assert [row.lamports for row in rows] == list(range(230))
    assert sorted(len(request.json["params"][0]) for request in server.requests) == [
        30,
        100,
        100,
    ]


@pytest.mark.parametrize(
    "value",
    [
        account("abc"),
        account("ä"),
        {"lamports": 1},
        {**account(""), "data": {"parsed": 1}},
    ],
)
def test_a_garbled_account_is_a_bad_payload(server, value):
    with pytest.raises(BadPayload):
        accounts(server, [value])


def test_fewer_accounts_than_requested_are_a_bad_payload(server):
    server.serve_rpc({"getMultipleAccounts": lambda *_: {"value": []}})
    with pytest.raises(BadPayload, match="fewer"):
        run_rpc(server.url, lambda rpc: rpc.accounts(["a"]))


def test_a_slot_has_a_time_or_none_or_was_skipped(server):
    def time_of(slot):
        if slot == 3:
            raise RpcFault(
                -32009, "Slot 3 was skipped, or missing in long-term storage"
            )
        return {1: 100, 2: None}[slot]

    server.serve_rpc({"getBlockTime": time_of})

    async def work(rpc):
        with pytest.raises(NotFound):
            await rpc.block_time(3)
        return await rpc.block_time(1), await rpc.block_time(2)

    assert run_rpc(server.url, work) == (100, None)


def test_a_time_that_is_not_a_number_is_a_bad_payload(server):
    server.serve_rpc({"getBlockTime": lambda _: "yesterday"})
    with pytest.raises(BadPayload):
        run_rpc(server.url, lambda rpc: rpc.block_time(1))


def test_amounts_have_the_digits_of_the_response(server):
    balance = {
        "accountIndex": 0,
        "mint": "m",
        "owner": "o",
        "programId": OWNER,
        "uiTokenAmount": {
            "amount": "18446744073709551615",
            "decimals": 9,
            "uiAmount": None,
            "uiAmountString": "?",
        },
    }
    meta = {
        "err": None,
        "fee": 5000,
        "preBalances": [2**63 - 1],
        "postBalances": [1],
        "postTokenBalances": [balance],
    }
    server.serve_rpc(
        {"getTransaction": lambda signature, _: transaction(signature, meta=meta)}
    )
    record = fetch(server.url, ["s"])[0]["s"]
    assert record.meta.pre_balances == [2**63 - 1]
    assert (
        Decimal(record.meta.post_token_balances[0].ui_token_amount.amount) == 2**64 - 1
    )


def test_more_lamports_than_can_exist_are_rejected(server):
    meta = {"err": None, "fee": 5000, "preBalances": [2**63], "postBalances": [1]}
    server.serve_rpc(
        {"getTransaction": lambda signature, _: transaction(signature, meta=meta)}
    )
    records, rejected, _ = fetch(server.url, ["s"])
    assert records == {}
    assert list(rejected) == ["s"]
