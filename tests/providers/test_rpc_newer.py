"""Transactions of an address after one that is known, by plain RPC."""

from discovery.clients.rpc_history import RpcTransactionSource
from discovery.clients.transaction_history import LastTransaction
from discovery.domain.run_errors import WarningSink
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import SolanaRpc
from tests.providers.history_rows import MAX_TRANSACTIONS
from tests.providers.local_server import RpcFault, run_client
from tests.providers.test_rpc_history import Node


def fetch_newer(server, node, last, **other_methods):
    async def work(client):
        source = RpcTransactionSource(SolanaRpc(JsonRpc(client)), WarningSink("test"))
        return await source.fetch_after("address", last, MAX_TRANSACTIONS)

    server.serve_rpc(node.methods(**other_methods))
    return run_client(server.url, work)


def test_newer_transactions_are_followed_over_capped_pages(server):
    node = Node(90)

    def signatures(_, config):
        rows = node.rows[31:][::-1]
        names = [row["signature"] for row in rows]
        start = names.index(config["before"]) + 1 if "before" in config else 0
        return rows[start : start + 20]

    last = LastTransaction("s000030", 1_000_030)
    newer = fetch_newer(server, node, last, getSignaturesForAddress=signatures)
    assert [each.signature for each in newer.transactions] == node.good(31, None)
    assert newer.newest_signature == "s000089"


def test_a_last_transaction_that_the_node_does_not_know_is_none(server):
    def refused(*_):
        raise RpcFault(-32020, "not found")

    last = LastTransaction("s000030", 1_000_030)
    assert fetch_newer(server, Node(3), last, getSignaturesForAddress=refused) is None
