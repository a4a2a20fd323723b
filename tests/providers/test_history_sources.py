"""Transactions of an address in a time range: the RPC and Helius return the same rows,
those of the simulated world.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import aiohttp
import pytest

from discovery.clients.helius_history import HeliusTransactionSource
from discovery.clients.rpc_history import RpcTransactionSource
from discovery.domain.addresses import associated_token_account
from discovery.domain.run_errors import WarningSink
from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import SolanaRpc
from tests.providers.history_rows import MAX_TRANSACTIONS, as_rows
from tests.providers.local_server import ClientSetup


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


@pytest.fixture
def read_forward(chain) -> Callable[..., dict[str, tuple]]:
    """`read_forward(address, since, until, portions)`: by source, the rows of the first
    portions, the calls and the credits.
    """

    async def read(source, meter, *ranges, portions):
        rows = []
        async with aclosing(source.read_forward(*ranges)) as reading:
            async for portion in reading:
                rows += as_rows(portion)
                portions -= 1
                if not portions:
                    break
        usage = meter.usage()
        return rows, {name: each["calls"] for name, each in usage.items()}

    def run(*ranges, portions=10**6):
        async def main():
            found = {}
            async with aiohttp.ClientSession() as session:
                for name in ("solana_rpc", "helius"):
                    setup = ClientSetup(calls_per_second=100_000)
                    path = "rpc" if name == "solana_rpc" else name
                    options = (
                        {"secret_params": {"api-key": "k"}} if path == name else {}
                    )
                    node = JsonRpc(
                        setup.client(session, f"{chain.url}/{path}", name, **options)
                    )
                    source = RpcTransactionSource(SolanaRpc(node), WarningSink("test"))
                    if path == name:
                        source = HeliusTransactionSource(
                            Helius(node, setup.meter),
                            SolanaRpc(node),
                            WarningSink("test"),
                        )
                    found[name] = await read(
                        source, setup.meter, *ranges, portions=portions
                    )
            return found

        return asyncio.run(main())

    return run


def busiest_pool(world):
    def length(address):
        return len(world.positions_of(world.accounts.find(address)))

    return max(pools(world), key=length)


def test_portions_read_forward_are_the_whole_history_from_both_sources(
    chain, chain_world, read_forward
):
    address = busiest_pool(chain_world)
    rows = expected(chain, address)
    assert len(rows) > 300
    since, until = rows[20][2], rows[-20][2]
    found = read_forward(address, since, until)
    for source_rows, _ in found.values():
        assert source_rows == expected(chain, address, since, until)


def test_a_reader_that_stops_early_pays_for_what_it_read(
    chain, chain_world, read_forward
):
    address = busiest_pool(chain_world)
    rows = expected(chain, address)
    found = read_forward(address, None, rows[-1][2], portions=1)
    by_signature, signature_calls = found["solana_rpc"]
    by_time, page_calls = found["helius"]
    assert by_signature == rows[:50]
    assert by_time == rows[:300]
    assert page_calls == {"helius": 1}
    # The signature list, and one call a transaction of the first portion.
    assert signature_calls["solana_rpc"] <= 50 + 2
