"""Transactions of an address between two moments: the two paths agree, and neither believes everything."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from local_server import Line, RpcFault, talk

from discovery.providers.errors import BadPayload
from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import PAGE, SolanaRpc
from discovery.runs.histories import HeliusHistories, RpcHistories

MOST = 50_000


@dataclass
class Asked:
    """What `between` answered: (signature, slot, block time) in order, what was told, calls made."""

    rows: list[tuple[str, int, int]]
    problems: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0


def listed(found):
    return [(row.signature, row.slot, row.block_time) for row in found]


@pytest.fixture
def both(chain) -> Callable[..., dict[str, list]]:
    """Asks the market both ways for many (address, since, until); answers one list of rows per question each."""

    def ask(questions):
        async def main():
            answers = {}
            async with aiohttp.ClientSession() as session:
                line, problems = Line(calls_per_second=100_000), []

                def problem(what, cause):
                    problems.append((what, cause))

                node = JsonRpc(line.door(session, f"{chain.url}/rpc", "solana_rpc"))
                paid = JsonRpc(line.door(session, f"{chain.url}/helius", "helius", secret_params={"api-key": "k"}))
                paths = {
                    "solana_rpc": RpcHistories(SolanaRpc(node), problem),
                    "helius": HeliusHistories(Helius(paid, line.meter), SolanaRpc(paid), problem),
                }
                for name, histories in paths.items():
                    found = await asyncio.gather(*(histories.between(*question, MOST) for question in questions))
                    assert histories.source == name
                    answers[name] = [listed(rows) for rows in found]
                assert problems == []
                return answers

        return asyncio.run(main())

    return ask


def pools(world):
    return [world.accounts.address(pool.account) for token in world.tokens.values() for pool in token.pools]


def token_accounts(world, wallets=40):
    """Token accounts of the wallets that did most, closed ones among them."""
    from discovery.domain.addresses import associated_token_account

    mints = {token.mint.account: token.mint for token in world.tokens.values()}
    held = list(dict.fromkeys((movement.wallet, movement.mint) for movement in world.movements))
    return [
        associated_token_account(world.accounts.address(wallet), world.accounts.address(mint), mints[mint].program)
        for wallet, mint in held[:: len(held) // wallets]
    ]


def expected(chain, address, since=None, until=None):
    """Rows by the world itself."""
    world = chain.market.world
    account = world.accounts.find(address)
    transactions = [world.transactions[place] for place in world.positions_of(account)] if account is not None else []
    rows = [
        (each.signature, each.slot, chain.market.unix(each.offset_seconds)) for each in transactions if not each.error
    ]
    return [row for row in rows if (since is None or row[2] >= since) and (until is None or row[2] <= until)]


def test_every_curve_and_pool_is_the_same_both_ways(chain, chain_world, both):
    questions = [(address, None, None) for address in pools(chain_world)]
    found = both(questions)
    assert found["solana_rpc"] == found["helius"]
    assert found["helius"] == [expected(chain, address) for address in pools(chain_world)]
    assert sum(len(rows) for rows in found["helius"]) > 4_000


def test_windows_of_every_curve_and_pool_are_the_same_both_ways(chain, chain_world, both):
    questions = []
    for address in pools(chain_world):
        rows = expected(chain, address)
        if rows:
            first, last = rows[0][2], rows[-1][2]
            middle = (first + last) // 2
            questions += [(address, first, middle), (address, middle + 1, last + 1)]
    for address in pools(chain_world)[:6]:
        rows = expected(chain, address)
        questions += [(address, rows[0][2], rows[0][2]), (address, None, rows[0][2] + 1800)]
        questions += [(address, rows[-1][2], rows[-1][2]), (address, rows[-1][2] + 1, None)]
    found = both(questions)
    assert found["solana_rpc"] == found["helius"]
    assert found["helius"] == [expected(chain, *question) for question in questions]


def test_token_accounts_are_the_same_both_ways(chain, chain_world, both):
    addresses = token_accounts(chain_world)
    assert len(addresses) >= 20
    found = both([(address, None, None) for address in addresses])
    assert found["solana_rpc"] == found["helius"]
    assert all(found["helius"])


def test_an_address_without_history_is_empty_both_ways(both):
    found = both([("11111111111111111111111111111112", None, None)])
    assert found == {"solana_rpc": [[]], "helius": [[]]}


class Node:
    """A chain of one address: `count` transactions a second apart, every third failed; a node that pages by 1000."""

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
        start = next((n + 1 for n, row in enumerate(rows) if row["signature"] == before), 0)
        return rows[start : start + config["limit"]]

    def transaction(self, signature, _):
        row = self.rows[int(signature[1:])]
        return {
            "slot": row["slot"],
            "blockTime": row["blockTime"],
            "transaction": {"signatures": [signature], "message": {"accountKeys": []}},
            "meta": {"err": row["err"], "fee": 1, "preBalances": [], "postBalances": []},
        }

    def block_time(self, slot):
        if slot not in self.times:
            raise RpcFault(-32009, "skipped")
        return self.times[slot]

    def block(self, slot, _):
        self.block_time(slot)
        return {"signatures": [row["signature"] for row in self.rows if row["slot"] == slot]}

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


def ask_rpc(server, node, since=None, until=None, most=MOST, **others):
    problems = []
    line = Line()

    async def work(door):
        histories = RpcHistories(SolanaRpc(JsonRpc(door)), lambda *told: problems.append(told))
        return listed(await histories.between("address", since, until, most))

    server.rpc(node.methods(**others))
    return Asked(talk(server.url, work, line=line), problems, line.meter.total_calls)


def signatures(asked):
    return [row[0] for row in asked.rows]


def test_pages_are_followed_to_the_beginning_and_failures_left_out(server):
    node = Node(2 * PAGE + 5)
    asked = ask_rpc(server, node)
    assert signatures(asked) == node.good(0, None)
    assert server.methods().count("getSignaturesForAddress") == 3


def test_a_list_that_ends_with_a_full_page_is_whole(server):
    node = Node(PAGE)
    assert signatures(ask_rpc(server, node)) == node.good(0, None)


def test_paging_ends_before_the_window_begins(server):
    node = Node(4 * PAGE)
    assert signatures(ask_rpc(server, node, since=1_003_500)) == node.good(3500, None)
    assert server.methods().count("getSignaturesForAddress") == 1


def test_an_old_window_is_sought_and_not_paged_to(server):
    node = Node(9 * PAGE)
    assert signatures(ask_rpc(server, node, since=1_000_100, until=1_000_200)) == node.good(100, 201)
    assert server.methods().count("getSignaturesForAddress") == 2
    assert len([name for name in server.methods() if name in {"getBlockTime", "getBlock"}]) < 25


def test_where_the_node_knows_no_block_times_the_window_is_paged_to(server):
    node = Node(3 * PAGE)
    asked = ask_rpc(server, node, since=1_000_100, until=1_000_110, getBlockTime=lambda _: None)
    assert signatures(asked) == node.good(100, 111)


def test_rows_without_a_time_are_placed_by_their_transaction(server):
    node = Node(30)
    with_times = [dict(row) for row in node.rows]
    for row in node.rows[:20]:
        row["blockTime"] = None

    def transaction(signature, config):
        shown = node.transaction(signature, config)
        return shown | {"blockTime": next(r["blockTime"] for r in with_times if r["signature"] == signature)}

    asked = ask_rpc(server, node, since=1_000_005, until=1_000_010, getTransaction=transaction)
    assert signatures(asked) == node.good(5, 11)


def test_a_transaction_without_a_time_takes_its_slots(server):
    node = Node(9)
    for row in node.rows:
        row["blockTime"] = None
    asked = ask_rpc(server, node, since=1_000_003)
    assert asked.rows == [(name, 1000 + int(name[1:]), 1_000_000 + int(name[1:])) for name in node.good(3, None)]


def test_a_transaction_without_any_time_is_told_and_left_out(server):
    node = Node(2)
    for row in node.rows:
        row["blockTime"] = None
    asked = ask_rpc(server, node, getBlockTime=lambda _: None)
    assert (asked.rows, asked.problems) == ([], [("s000000", "no block time"), ("s000001", "no block time")])


def test_a_page_that_comes_again_and_again_is_refused(server):
    node = Node(2 * PAGE)
    with pytest.raises(BadPayload, match="same page again"):
        ask_rpc(server, node, getSignaturesForAddress=lambda *_: node.rows[:-1001:-1])
    assert server.methods().count("getSignaturesForAddress") == 2


def test_a_page_that_overlaps_the_one_before_gives_nothing_twice(server):
    node = Node(2 * PAGE)

    def overlapping(address, config):
        rows = node.rows[::-1]
        return rows[900:1900] if config.get("before") == rows[999]["signature"] else node.signatures(address, config)

    assert signatures(ask_rpc(server, node, getSignaturesForAddress=overlapping)) == node.good(0, None)


def test_more_than_asked_for_are_cut_to_the_oldest_and_told(server):
    node = Node(60)
    asked = ask_rpc(server, node, most=10)
    assert signatures(asked) == node.good(0, None)[:10]
    assert asked.problems == [("address", "more than 10 transactions: the rest was left out")]


def test_failed_transactions_do_not_count_against_the_most(server):
    node = Node(30)
    asked = ask_rpc(server, node, most=20)
    assert (signatures(asked), asked.problems) == (node.good(0, None), [])


def test_failed_transactions_are_not_paid_for(server):
    node = Node(30)
    ask_rpc(server, node)
    assert server.methods().count("[getTransaction]") == 20


def test_a_transaction_of_two_lists_is_fetched_once(server):
    node = Node(6)
    server.rpc(node.methods())

    async def work(door):
        histories = RpcHistories(SolanaRpc(JsonRpc(door)), print)
        return [len(await histories.between(name, None, None, MOST)) for name in ("pool", "account")]

    assert talk(server.url, work) == [4, 4]
    assert server.methods().count("[getTransaction]") == 4


def test_the_index_is_the_place_in_the_list(server):
    node = Node(6)
    for row in node.rows:
        row["slot"] = 1000
    server.rpc(node.methods())

    async def work(door):
        histories = RpcHistories(SolanaRpc(JsonRpc(door)), print)
        return await histories.between("address", None, None, MOST)

    found = talk(server.url, work)
    assert [row.signature for row in sorted(found, key=lambda row: (row.slot, row.index))] == node.good(0, None)
