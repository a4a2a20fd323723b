"""Transactions of an address by plain RPC: paging, missing times, repeats, limits."""

from dataclasses import dataclass, field

import pytest

from discovery.clients.rpc_history import RpcTransactionSource
from discovery.domain.run_errors import WarningSink
from discovery.providers.errors import BadPayload, ServerFailed
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import PAGE_SIZE, SolanaRpc
from tests.providers.history_rows import MAX_TRANSACTIONS, as_rows
from tests.providers.local_server import RpcFault, run_client


@dataclass
class Fetched:
    """The rows of `fetch_range` as (signature, slot, block time), and its warnings."""

    rows: list[tuple[str, int, int]]
    warnings: list[str] = field(default_factory=list)

    @property
    def signatures(self) -> list[str]:
        return [row[0] for row in self.rows]


class Node:
    """A chain of one address: `count` transactions a second apart, every third failed;
    a node that pages by 1000.
    """

    def __init__(self, count, first_time=1_000_000):
        self.rows = [
            {
                "signature": f"s{number:06}",
                "slot": 1000 + number,
                "err": {"InstructionError": [0, "Custom"]} if number % 3 == 2 else None,
                "blockTime": first_time + number,
            }
            for number in range(count)
        ]
        self.times = {row["slot"]: row["blockTime"] for row in self.rows}

    def signatures(self, _, config):
        rows = self.rows[::-1]
        before = config.get("before")
        start = next(
            (n + 1 for n, row in enumerate(rows) if row["signature"] == before), 0
        )
        return rows[start : start + config["limit"]]

    def transaction(self, signature, _):
        row = self.rows[int(signature[1:])]
        return {
            "slot": row["slot"],
            "blockTime": row["blockTime"],
            "transaction": {"signatures": [signature], "message": {"accountKeys": []}},
            "meta": {
                "err": row["err"],
                "fee": 1,
                "preBalances": [],
                "postBalances": [],
            },
        }

    def block_time(self, slot):
        if slot not in self.times:
            raise RpcFault(-32009, "skipped")
        return self.times[slot]

    def block(self, slot, _):
        self.block_time(slot)
        return {
            "signatures": [row["signature"] for row in self.rows if row["slot"] == slot]
        }

    def methods(self, **others):
        return {
            "getSignaturesForAddress": self.signatures,
            "getTransaction": self.transaction,
            "getBlockTime": self.block_time,
            "getBlock": self.block,
            **others,
        }

    def good(self, start, end):
        return [row["signature"] for row in self.rows[start:end] if row["err"] is None]


def fetch_by_rpc(
    server, node, since=None, until=None, limit=MAX_TRANSACTIONS, **other_methods
):
    warnings = WarningSink("test")

    async def work(client):
        source = RpcTransactionSource(SolanaRpc(JsonRpc(client)), warnings)
        return as_rows(await source.fetch_range("address", since, until, limit))

    server.serve_rpc(node.methods(**other_methods))
    return Fetched(run_client(server.url, work), warnings.messages)


def test_pages_are_followed_to_the_oldest_without_failed_transactions(server):
    node = Node(2 * PAGE_SIZE + 5)
    fetched = fetch_by_rpc(server, node)
    assert fetched.signatures == node.good(0, None)
    # Nothing proves where this list begins: an empty page, and one that repeats a row.
    assert server.methods().count("getSignaturesForAddress") == 3 + 2


def test_a_list_that_ends_with_a_full_page_is_complete(server):
    node = Node(PAGE_SIZE)
    assert fetch_by_rpc(server, node).signatures == node.good(0, None)


def test_paging_stops_at_the_start_of_the_time_range(server):
    node = Node(4 * PAGE_SIZE)
    assert fetch_by_rpc(server, node, since=1_003_500).signatures == node.good(
        3500, None
    )
    assert server.methods().count("getSignaturesForAddress") == 1


def test_an_old_time_range_is_searched_by_time_instead_of_paged_to(server):
    node = Node(9 * PAGE_SIZE)
    assert fetch_by_rpc(
        server, node, since=1_000_100, until=1_000_200
    ).signatures == node.good(100, 201)
    assert server.methods().count("getSignaturesForAddress") == 2
    assert (
        len([name for name in server.methods() if name in {"getBlockTime", "getBlock"}])
        < 25
    )


def test_without_block_times_of_the_node_an_old_time_range_is_paged_to(server):
    node = Node(3 * PAGE_SIZE)
    fetched = fetch_by_rpc(
        server, node, since=1_000_100, until=1_000_110, getBlockTime=lambda _: None
    )
    assert fetched.signatures == node.good(100, 111)


def test_rows_without_a_time_get_that_of_their_transaction(server):
    node = Node(30)
    with_times = [dict(row) for row in node.rows]
    for row in node.rows[:20]:
        row["blockTime"] = None

    def transaction(signature, config):
        record = node.transaction(signature, config)
        return record | {
            "blockTime": next(
                r["blockTime"] for r in with_times if r["signature"] == signature
            )
        }

    fetched = fetch_by_rpc(
        server, node, since=1_000_005, until=1_000_010, getTransaction=transaction
    )
    assert fetched.signatures == node.good(5, 11)


def test_a_transaction_without_a_time_gets_that_of_its_slot(server):
    node = Node(9)
    for row in node.rows:
        row["blockTime"] = None
    fetched = fetch_by_rpc(server, node, since=1_000_003)
    assert fetched.rows == [
        (name, 1000 + int(name[1:]), 1_000_000 + int(name[1:]))
        for name in node.good(3, None)
    ]


def test_a_transaction_without_any_time_is_left_out_with_a_warning(server):
    node = Node(2)
    for row in node.rows:
        row["blockTime"] = None
    fetched = fetch_by_rpc(server, node, getBlockTime=lambda _: None)
    assert (fetched.rows, fetched.warnings) == (
        [],
        ["s000000: no block time", "s000001: no block time"],
    )


def test_a_page_that_repeats_is_a_bad_payload(server):
    node = Node(2 * PAGE_SIZE)
    with pytest.raises(BadPayload, match="same page again"):
        fetch_by_rpc(
            server, node, getSignaturesForAddress=lambda *_: node.rows[:-1001:-1]
        )
    assert server.methods().count("getSignaturesForAddress") == 2


def test_an_overlapping_page_repeats_no_transaction(server):
    node = Node(2 * PAGE_SIZE)

    def overlapping(address, config):
        rows = node.rows[::-1]
        return (
            rows[900:1900]
            if config.get("before") == rows[999]["signature"]
            else node.signatures(address, config)
        )

    assert fetch_by_rpc(
        server, node, getSignaturesForAddress=overlapping
    ).signatures == node.good(0, None)


def test_more_transactions_than_the_limit_are_cut_to_the_oldest_with_a_warning(server):
    node = Node(60)
    fetched = fetch_by_rpc(server, node, limit=10)
    assert fetched.signatures == node.good(0, None)[:10]
    assert fetched.warnings == [
        "address: more than 10 transactions: the rest was left out"
    ]


def test_failed_transactions_do_not_count_towards_the_limit(server):
    node = Node(30)
    fetched = fetch_by_rpc(server, node, limit=20)
    assert (fetched.signatures, fetched.warnings) == (node.good(0, None), [])


def test_failed_transactions_are_not_fetched(server):
    node = Node(30)
    fetch_by_rpc(server, node)
    assert server.methods().count("[getTransaction]") == 20


def test_a_transaction_in_two_lists_is_fetched_once(server):
    node = Node(6)
    server.serve_rpc(node.methods())

    async def work(client):
        source = RpcTransactionSource(SolanaRpc(JsonRpc(client)), WarningSink("test"))
        return [
            len(await source.fetch_range(name, None, None, MAX_TRANSACTIONS))
            for name in ("pool", "account")
        ]

    assert run_client(server.url, work) == [4, 4]
    assert server.methods().count("[getTransaction]") == 4


def test_the_index_is_the_place_in_the_signature_list(server):
    node = Node(6)
    for row in node.rows:
        row["slot"] = 1000
    server.serve_rpc(node.methods())

    async def work(client):
        source = RpcTransactionSource(SolanaRpc(JsonRpc(client)), WarningSink("test"))
        return await source.fetch_range("address", None, None, MAX_TRANSACTIONS)

    transactions = run_client(server.url, work)
    in_order = sorted(
        transactions, key=lambda transaction: (transaction.slot, transaction.index)
    )
    assert [transaction.signature for transaction in in_order] == node.good(0, None)


def with_balances(node, signature, before, after):
    """Return a transaction with the lamports of the address before and after it."""
    record = node.transaction(signature, None)
    record["transaction"]["message"]["accountKeys"] = ["address"]
    record["meta"] |= {"preBalances": [before], "postBalances": [after]}
    return record


def test_a_list_whose_first_transaction_creates_the_address_costs_one_call(server):
    node = Node(5)
    fetched = fetch_by_rpc(
        server,
        node,
        getTransaction=lambda signature, _: with_balances(
            node, signature, int(signature[1:]), int(signature[1:]) + 1
        ),
    )
    assert fetched.signatures == node.good(0, None)
    assert server.methods().count("getSignaturesForAddress") == 1


def test_pages_that_a_node_caps_are_followed_to_the_end(server):
    node = Node(90)
    fetched = fetch_by_rpc(
        server,
        node,
        getSignaturesForAddress=lambda address, config: node.signatures(
            address, {**config, "limit": 20}
        ),
    )
    assert fetched.signatures == node.good(0, None)


def test_signatures_that_a_page_repeats_are_fetched_once(server):
    node = Node(30)
    fetched = fetch_by_rpc(
        server,
        node,
        getSignaturesForAddress=lambda address, config: [
            row for row in node.signatures(address, config) for _ in range(2)
        ],
    )
    assert fetched.signatures == node.good(0, None)


def test_rows_in_any_order_are_sorted_and_those_of_a_slot_by_their_balances(server):
    node = Node(9)
    for row in node.rows:
        row["slot"] = 1000 + int(row["signature"][1:]) // 6
        row["err"] = None

    def shuffled(address, config):
        rows = node.signatures(address, config)
        return rows[1::2] + rows[::2]

    fetched = fetch_by_rpc(
        server,
        node,
        getSignaturesForAddress=shuffled,
        getTransaction=lambda signature, _: with_balances(
            node, signature, int(signature[1:]), int(signature[1:]) + 1
        ),
    )
    assert fetched.signatures == node.good(0, None)


def account_reply(exists):
    row = {"lamports": 1, "owner": "program", "data": ["", "base64"]}
    return lambda addresses, _: {"value": [row if exists else None for _ in addresses]}


def test_an_empty_list_of_an_account_that_exists_is_an_error(server):
    node = Node(0)
    with pytest.raises(ServerFailed, match="lists no transaction of address"):
        fetch_by_rpc(server, node, getMultipleAccounts=account_reply(exists=True))
    assert server.methods().count("getSignaturesForAddress") == 2


def test_an_empty_list_of_an_account_that_does_not_exist_is_believed(server):
    node = Node(0)
    fetched = fetch_by_rpc(
        server, node, getMultipleAccounts=account_reply(exists=False)
    )
    assert fetched.rows == []


def test_rows_that_a_node_forgets_are_an_error(server):
    node = Node(30)

    def forgetful(address, config):
        return [] if config.get("before") else node.signatures(address, config)[:10]

    with pytest.raises(ServerFailed, match="that it listed before"):
        fetch_by_rpc(server, node, getSignaturesForAddress=forgetful)


def test_a_node_that_does_not_know_the_last_row_is_asked_from_another_one(server):
    node = Node(PAGE_SIZE + 30)
    unknown = node.rows[30]["signature"]

    def signatures(address, config):
        if config.get("before") == unknown:
            raise RpcFault(-32020, "not found")
        return node.signatures(address, config)

    fetched = fetch_by_rpc(server, node, getSignaturesForAddress=signatures)
    assert fetched.signatures == node.good(0, None)
