"""Pages of Helius: followed to the last one, refused if they repeat, decoded row by
row.
"""

from dataclasses import dataclass

import pytest

from discovery.clients.helius_history import HeliusTransactionSource
from discovery.clients.transaction_history import OrderedTransaction
from discovery.clients.usage import Usage
from discovery.domain.run_errors import WarningSink
from discovery.providers.errors import BadPayload, BadRequest, ServerFailed
from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import SolanaRpc
from tests.providers.local_server import ClientSetup, RpcFault, json_reply, run_client

MAX_TRANSACTIONS = 50_000


@dataclass
class Fetched:
    """The transactions of `fetch_range`, its warnings and the usage of the provider."""

    transactions: list[OrderedTransaction]
    warnings: list[str]
    usage: Usage

    @property
    def signatures(self):
        return [transaction.signature for transaction in self.transactions]


def helius_row(signature, number, index=0, **fields):
    return {
        "slot": number,
        "transactionIndex": index,
        "blockTime": 1_000_000 + number,
        "transaction": {"signatures": [signature], "message": {"accountKeys": []}},
        "meta": {"err": None, "fee": 1, "preBalances": [], "postBalances": []},
        **fields,
    }


def fetch_pages(
    server, pages, since=None, until=None, limit=MAX_TRANSACTIONS, **other_methods
):
    """Fetch the time range from `pages`: paginationToken (None first) -> (rows, next
    token).
    """
    warnings, setup = WarningSink("test"), ClientSetup()

    async def work(client):
        rpc = JsonRpc(client)
        source = HeliusTransactionSource(
            Helius(rpc, setup.meter), SolanaRpc(rpc), warnings
        )
        return await source.fetch_range("address", since, until, limit)

    def page(_, config):
        rows, token = pages[config.get("paginationToken")]
        return {"data": rows, "paginationToken": token}

    server.serve_rpc({"getTransactionsForAddress": page, **other_methods})
    transactions = run_client(server.url, work, setup=setup)
    return Fetched(transactions, warnings.messages, setup.meter.usage())


def test_pages_are_followed_until_there_is_no_token(server):
    pages = {
        None: ([helius_row("a", 1)], "1:0"),
        "1:0": ([], "2:0"),
        "2:0": ([helius_row("b", 2)], None),
    }
    fetched = fetch_pages(server, pages)
    assert fetched.signatures == ["a", "b"]
    assert fetched.usage["testing"]["credits"] == 30


@pytest.mark.parametrize("rows", [[], [helius_row("a", 1)]], ids=["empty", "full"])
def test_page_tokens_in_a_circle_are_a_bad_payload(server, rows):
    with pytest.raises(BadPayload, match="same page again"):
        fetch_pages(server, {None: (rows, "x"), "x": (rows, "y"), "y": (rows, "x")})
    assert len(server.requests) <= 4


def test_a_page_token_that_repeats_is_a_bad_payload(server):
    with pytest.raises(BadPayload, match="same page again"):
        fetch_pages(
            server,
            {None: ([helius_row("a", 1)], "x"), "x": ([helius_row("b", 2)], "x")},
        )


def test_a_page_that_overlaps_the_one_before_repeats_no_transaction(server):
    pages = {
        None: ([helius_row("a", 1), helius_row("b", 2)], "x"),
        "x": ([helius_row("b", 2)], None),
    }
    assert fetch_pages(server, pages).signatures == ["a", "b"]


@pytest.mark.parametrize(
    "garbled",
    [
        {"unexpected": 1},
        7,
        helius_row("x", 2, slot="soon"),
        helius_row(
            "x", 2, transaction={"signatures": [], "message": {"accountKeys": []}}
        ),
    ],
    ids=range(4),
)
def test_a_garbled_row_is_counted_and_skipped(server, garbled):
    fetched = fetch_pages(
        server, {None: ([helius_row("a", 1), garbled, helius_row("b", 3)], None)}
    )
    assert fetched.signatures == ["a", "b"]
    assert len(fetched.warnings) == 1
    assert fetched.warnings[0].startswith("address: 1 transactions skipped")


def test_rows_without_a_time_get_that_of_their_slot_or_a_warning(server):
    rows = [
        helius_row("a", 1, blockTime=None),
        helius_row("b", 2, blockTime=None),
        helius_row("c", 3, slot=None),
    ]

    def block_time(slot):
        if slot == 2:
            raise RpcFault(-32009, "skipped")
        return 77

    fetched = fetch_pages(server, {None: (rows, None)}, getBlockTime=block_time)
    assert [
        (row.signature, row.slot, row.block_time) for row in fetched.transactions
    ] == [("a", 1, 77)]
    assert fetched.warnings == ["b: no block time", "c: transaction without a slot"]


def test_rows_outside_the_time_range_are_left_out(server):
    rows = [helius_row(name, slot) for name, slot in (("a", 1), ("b", 2), ("c", 3))]
    fetched = fetch_pages(
        server, {None: (rows, None)}, since=1_000_002, until=1_000_002
    )
    assert fetched.signatures == ["b"]


def test_the_index_is_the_one_in_the_block(server):
    rows = [helius_row("a", 1, 40), helius_row("b", 1, 41)]
    assert [
        row.index for row in fetch_pages(server, {None: (rows, None)}).transactions
    ] == [40, 41]


def test_paging_stops_at_the_limit_with_a_warning(server):
    pages = {
        None: ([helius_row("a", 1), helius_row("b", 2)], "x"),
        "x": ([helius_row("c", 3)], None),
    }
    fetched = fetch_pages(server, pages, limit=2)
    assert fetched.signatures == ["a", "b"]
    assert fetched.warnings == [
        "address: more than 2 transactions: the rest was left out"
    ]


def test_a_response_without_rows_is_a_bad_payload(server):
    server.replies = [json_reply({"jsonrpc": "2.0", "id": 1, "result": {"rows": []}})]

    async def work(client):
        await Helius(JsonRpc(client), ClientSetup().meter).probe("address")

    with pytest.raises(BadPayload, match="not as documented"):
        run_client(server.url, work)


def serve_slots(server, count, refused_tokens, accounts=lambda *_: {"value": [None]}):
    """Serve pages of two rows. A token of `refused_tokens` is refused once."""
    rows = [helius_row(f"s{slot}", slot) for slot in range(1, count + 1)]
    refused = set(refused_tokens)

    def page(_, config):
        token = config.get("paginationToken")
        if token in refused:
            refused.discard(token)
            raise RpcFault(-32602, "Invalid paginationToken: expired")
        first = config["filters"].get("slot", {}).get("gte", 1)
        start = int(token) if token else first - 1
        following = str(start + 2) if start + 2 < count else None
        return {"data": rows[start : start + 2], "paginationToken": following}

    server.serve_rpc(
        {"getTransactionsForAddress": page, "getMultipleAccounts": accounts}
    )


def fetch_all(server):
    async def work(client):
        rpc = JsonRpc(client)
        source = HeliusTransactionSource(
            Helius(rpc, ClientSetup().meter), SolanaRpc(rpc), WarningSink("test")
        )
        return await source.fetch_range("address", None, None, MAX_TRANSACTIONS)

    return [each.signature for each in run_client(server.url, work)]


def test_a_token_that_is_refused_is_replaced_by_the_last_slot(server):
    serve_slots(server, 7, ["2", "5"])
    assert fetch_all(server) == [f"s{slot}" for slot in range(1, 8)]


def test_a_token_that_is_always_refused_is_an_error(server):
    serve_slots(server, 2, [])

    def page(_, config):
        if config.get("paginationToken"):
            raise RpcFault(-32602, "Invalid paginationToken: expired")
        return {"data": [helius_row("a", 1)], "paginationToken": "x"}

    server.serve_rpc({"getTransactionsForAddress": page})
    with pytest.raises(BadRequest):
        fetch_all(server)


def test_no_row_at_all_of_an_account_that_exists_is_an_error(server):
    row = {"lamports": 1, "owner": "program", "data": ["", "base64"]}
    serve_slots(server, 0, [], accounts=lambda *_: {"value": [row]})
    with pytest.raises(ServerFailed, match="which exists"):
        fetch_all(server)


def test_no_row_at_all_of_an_account_that_does_not_exist_is_believed(server):
    serve_slots(server, 0, [])
    assert fetch_all(server) == []


def test_rows_in_any_order_are_sorted(server):
    rows = [helius_row("c", 3), helius_row("a", 1), helius_row("b", 2)]
    assert fetch_pages(server, {None: (rows, None)}).signatures == ["a", "b", "c"]
