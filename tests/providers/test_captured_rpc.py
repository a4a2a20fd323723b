"""Captured answers of real nodes, and real transactions as rows of a Helius page."""

import json

import pytest
from local_server import Line, Reply, of, talk, talk_rpc

from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc

PAGES = {"3a343e": 5, "443b59": 5, "53f70b": 5, "792ff1": 5, "97cbf3": 5, "b290f4": 25}


def served(server, realdata, name):
    """The captured answer, byte for byte but for the id, which is that of our question."""
    captured = json.loads((realdata / "http" / "solana_rpc" / f"get_txids_{name}.json").read_text())
    server.replies = [of({**captured, "id": 1})]
    return captured["result"], talk_rpc(server.url, lambda rpc: rpc.signatures("address"))


@pytest.mark.parametrize(("name", "count"), PAGES.items())
def test_every_row_of_a_captured_page_of_signatures_becomes_a_record(server, realdata, name, count):
    wire, rows = served(server, realdata, name)
    assert len(rows) == count
    assert [(row.signature, row.slot, row.failed, row.block_time) for row in rows] == [
        (row["signature"], row["slot"], row["err"] is not None, row["blockTime"]) for row in wire
    ]


def test_captured_rows_without_a_time_have_none(server, realdata):
    _, rows = served(server, realdata, "97cbf3")
    assert [(row.slot, row.block_time) for row in rows][:2] == [(64632696, 1612871620), (17393846, None)]


def test_every_real_transaction_is_read_from_a_helius_page(server, realdata):
    paths = sorted((realdata / "transactions" / "rpc").glob("*.json"))
    assert len(paths) == 225
    body = b'{"jsonrpc":"2.0","id":1,"result":{"data":[' + b",".join(path.read_bytes() for path in paths) + b"]}}"
    server.replies = [Reply(body)]
    line = Line()
    page = talk(server.url, lambda door: Helius(JsonRpc(door), line.meter).transactions("address"), line=line)
    assert (page.rows.rejected, page.rows.cause, page.next_token) == (0, "", None)
    assert [row.signature[:16] for row in page.rows] == [path.stem for path in paths]
    assert line.meter.usage()["testing"]["credits"] == 30


def test_every_real_transaction_is_read_singly(server, realdata):
    paths = {}
    for path in (realdata / "transactions" / "rpc").glob("*.json"):
        paths[json.loads(path.read_bytes())["transaction"]["signatures"][0]] = path
    server.rpc({"getTransaction": lambda signature, _: json.loads(paths[signature].read_bytes())})
    rejected = []
    found = talk_rpc(server.url, lambda rpc: rpc.transactions(list(paths), lambda *told: rejected.append(told)))
    assert (sorted(found), rejected) == (sorted(paths), [])
