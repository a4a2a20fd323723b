"""Pages of Helius: followed to their end, refused where they go round, read row by row."""

from dataclasses import dataclass, field

import pytest
from local_server import Line, RpcFault, of, talk

from discovery.clients.transaction_history import HeliusTransactionSource
from discovery.providers.errors import BadPayload
from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.solana_rpc import SolanaRpc

MAX_CHANGES = 50_000


@dataclass
class Asked:
    """What `between` answered: (signature, slot, block time) in order, what was told, calls made."""

    rows: list[tuple[str, int, int]]
    problems: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0


def listed(found):
    return [(row.signature, row.slot, row.block_time) for row in found]


def signatures(asked):
    return [row[0] for row in asked.rows]


def helius_row(signature, place, index=0, **fields):
    return {
        "slot": place,
        "transactionIndex": index,
        "blockTime": 1_000_000 + place,
        "transaction": {"signatures": [signature], "message": {"accountKeys": []}},
        "meta": {"err": None, "fee": 1, "preBalances": [], "postBalances": []},
        **fields,
    }


def ask_helius(server, pages, since=None, until=None, most=MAX_CHANGES, **others):
    """`pages`: paginationToken (None first) -> (rows, next token)."""
    problems, line = [], Line()

    async def work(door):
        rpc = JsonRpc(door)
        histories = HeliusTransactionSource(
            Helius(rpc, line.meter), SolanaRpc(rpc), lambda *told: problems.append(told)
        )
        return await histories.between("address", since, until, most)

    def page(_, config):
        rows, token = pages[config.get("paginationToken")]
        return {"data": rows, "paginationToken": token}

    server.rpc({"getTransactionsForAddress": page, **others})
    found = talk(server.url, work, line=line)
    return Asked(listed(found), problems, line.meter.total_calls), found, line


def test_helius_pages_are_followed_until_there_is_no_token(server):
    pages = {None: ([helius_row("a", 1)], "1:0"), "1:0": ([], "2:0"), "2:0": ([helius_row("b", 2)], None)}
    asked, _, line = ask_helius(server, pages)
    assert signatures(asked) == ["a", "b"]
    assert line.meter.usage()["testing"]["credits"] == 30


@pytest.mark.parametrize("rows", [[], [helius_row("a", 1)]], ids=["empty", "full"])
def test_helius_tokens_that_go_round_in_a_circle_are_refused(server, rows):
    with pytest.raises(BadPayload, match="same page again"):
        ask_helius(server, {None: (rows, "x"), "x": (rows, "y"), "y": (rows, "x")})
    assert len(server.asked) <= 4


def test_a_helius_token_that_stands_still_is_refused(server):
    with pytest.raises(BadPayload, match="same page again"):
        ask_helius(server, {None: ([helius_row("a", 1)], "x"), "x": ([helius_row("b", 2)], "x")})


def test_a_helius_page_that_overlaps_gives_nothing_twice(server):
    pages = {None: ([helius_row("a", 1), helius_row("b", 2)], "x"), "x": ([helius_row("b", 2)], None)}
    assert signatures(ask_helius(server, pages)[0]) == ["a", "b"]


@pytest.mark.parametrize(
    "garbled",
    [
        {"unexpected": 1},
        7,
        helius_row("x", 2, slot="soon"),
        helius_row("x", 2, transaction={"signatures": [], "message": {"accountKeys": []}}),
    ],
    ids=range(4),
)
def test_a_garbled_helius_row_is_counted_and_skipped(server, garbled):
    asked, _, _ = ask_helius(server, {None: ([helius_row("a", 1), garbled, helius_row("b", 3)], None)})
    assert signatures(asked) == ["a", "b"]
    assert [what for what, _ in asked.problems] == ["address"]
    assert "1 transactions skipped" in asked.problems[0][1]


def test_helius_rows_without_a_time_take_their_slots_or_are_told(server):
    rows = [helius_row("a", 1, blockTime=None), helius_row("b", 2, blockTime=None), helius_row("c", 3, slot=None)]

    def block_time(slot):
        if slot == 2:
            raise RpcFault(-32009, "skipped")
        return 77

    asked, _, _ = ask_helius(server, {None: (rows, None)}, getBlockTime=block_time)
    assert asked.rows == [("a", 1, 77)]
    assert asked.problems == [("b", "no block time"), ("c", "transaction without a slot")]


def test_helius_rows_outside_the_asked_time_are_left_out(server):
    rows = [helius_row(name, slot) for name, slot in (("a", 1), ("b", 2), ("c", 3))]
    asked, _, _ = ask_helius(server, {None: (rows, None)}, since=1_000_002, until=1_000_002)
    assert signatures(asked) == ["b"]


def test_the_helius_index_is_the_one_in_the_block(server):
    rows = [helius_row("a", 1, 40), helius_row("b", 1, 41)]
    assert [row.index for row in ask_helius(server, {None: (rows, None)})[1]] == [40, 41]


def test_helius_stops_at_the_most_and_tells_it(server):
    pages = {None: ([helius_row("a", 1), helius_row("b", 2)], "x"), "x": ([helius_row("c", 3)], None)}
    asked, _, _ = ask_helius(server, pages, most=2)
    assert signatures(asked) == ["a", "b"]
    assert asked.problems == [("address", "more than 2 transactions: the rest was left out")]


def test_an_answer_of_helius_without_rows_is_a_bad_payload(server):
    server.replies = [of({"jsonrpc": "2.0", "id": 1, "result": {"rows": []}})]

    async def work(door):
        await Helius(JsonRpc(door), Line().meter).probe("address")

    with pytest.raises(BadPayload, match="not as documented"):
        talk(server.url, work)
