"""Transactions of an address in a time range: both sources agree, and neither trusts
the provider blindly.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from discovery.clients.helius_history import HeliusTransactionSource
from discovery.clients.rpc_history import RpcTransactionSource
from discovery.domain.addresses import associated_token_account
from discovery.domain.run_errors import WarningSink
from discovery.providers.errors import BadPayload
from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import PAGE_SIZE, SolanaRpc
from tests.providers.local_server import ClientSetup, RpcFault, run_client

MAX_TRANSACTIONS = 50_000


@dataclass
class Fetched:
    """The rows of `fetch_range` as (signature, slot, block time), and its warnings."""

    rows: list[tuple[str, int, int]]
    warnings: list[str] = field(default_factory=list)

    @property
    def signatures(self) -> list[str]:
        return [row[0] for row in self.rows]


def as_rows(transactions):
    return [
        (transaction.signature, transaction.slot, transaction.block_time)
        for transaction in transactions
    ]


@pytest.fixture
def fetch_both_ways(chain) -> Callable[..., dict[str, list]]:
    """`fetch_both_ways([(address, since, until)])`: by source, one list of rows for
    each of these.
    """

    async def fetch(source, ranges):
        results = await asyncio.gather(
            *(source.fetch_range(*each, MAX_TRANSACTIONS) for each in ranges)
        )
        return [as_rows(transactions) for transactions in results]

    def run(ranges):
        async def main():
            async with aiohttp.ClientSession() as session:
                setup, warnings = (
                    ClientSetup(calls_per_second=100_000),
                    WarningSink("test"),
                )
                node = JsonRpc(setup.client(session, f"{chain.url}/rpc", "solana_rpc"))
                helius_url = f"{chain.url}/helius"
                paid = JsonRpc(
                    setup.client(
                        session, helius_url, "helius", secret_params={"api-key": "k"}
                    )
                )
                sources = [
                    RpcTransactionSource(SolanaRpc(node), warnings),
                    HeliusTransactionSource(
                        Helius(paid, setup.meter), SolanaRpc(paid), warnings
                    ),
                ]
                rows = {
                    source.source: await fetch(source, ranges) for source in sources
                }
                assert warnings.messages == []
                return rows

        return asyncio.run(main())

    return run


def pools(world):
    return [
        world.accounts.address(pool.account)
        for token in world.tokens.values()
        for pool in token.pools
    ]


def token_accounts(world, wallets=40):
    """Return token accounts of many wallets, closed ones among them."""
    mints = {token.mint.account: token.mint for token in world.tokens.values()}
    held = list(
        dict.fromkeys((movement.wallet, movement.mint) for movement in world.movements)
    )
    return [
        associated_token_account(
            world.accounts.address(wallet),
            world.accounts.address(mint),
            mints[mint].program,
        )
        for wallet, mint in held[:: len(held) // wallets]
    ]


def expected(chain, address, since=None, until=None):
    """Return the rows that the simulated world holds."""
    world = chain.market.world
    account = world.accounts.find(address)
    positions = [] if account is None else world.positions_of(account)
    transactions = [world.transactions[position] for position in positions]
    rows = [
        (each.signature, each.slot, chain.market.unix(each.offset_seconds))
        for each in transactions
        if not each.error
    ]
    return [
        row
        for row in rows
        if (since is None or row[2] >= since) and (until is None or row[2] <= until)
    ]


def test_every_curve_and_pool_is_the_same_from_both_sources(
    chain, chain_world, fetch_both_ways
):
    ranges = [(address, None, None) for address in pools(chain_world)]
    rows = fetch_both_ways(ranges)
    assert rows["solana_rpc"] == rows["helius"]
    assert rows["helius"] == [
        expected(chain, address) for address in pools(chain_world)
    ]
    assert sum(len(rows_of_address) for rows_of_address in rows["helius"]) > 4_000


def test_time_ranges_of_every_curve_and_pool_are_the_same_from_both_sources(
    chain, chain_world, fetch_both_ways
):
    ranges = []
    for address in pools(chain_world):
        rows = expected(chain, address)
        if rows:
            first, last = rows[0][2], rows[-1][2]
            middle = (first + last) // 2
            ranges += [(address, first, middle), (address, middle + 1, last + 1)]
    for address in pools(chain_world)[:6]:
        rows = expected(chain, address)
        ranges += [
            (address, rows[0][2], rows[0][2]),
            (address, None, rows[0][2] + 1800),
        ]
        ranges += [
            (address, rows[-1][2], rows[-1][2]),
            (address, rows[-1][2] + 1, None),
        ]
    rows = fetch_both_ways(ranges)
    assert rows["solana_rpc"] == rows["helius"]
    assert rows["helius"] == [expected(chain, *time_range) for time_range in ranges]


def test_token_accounts_are_the_same_from_both_sources(
    chain, chain_world, fetch_both_ways
):
    addresses = token_accounts(chain_world)
    assert len(addresses) >= 20
    rows = fetch_both_ways([(address, None, None) for address in addresses])
    assert rows["solana_rpc"] == rows["helius"]
    assert all(rows["helius"])


def test_an_address_without_history_is_empty_from_both_sources(fetch_both_ways):
    rows = fetch_both_ways([("11111111111111111111111111111112", None, None)])
    assert rows == {"solana_rpc": [[]], "helius": [[]]}


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
    assert server.methods().count("getSignaturesForAddress") == 3


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
