"""Captured responses of real nodes, and real transactions as rows of a Helius page."""

import json

import pytest

from discovery.providers.helius import Helius
from discovery.providers.jsonrpc import JsonRpc
from tests.providers.local_server import (
    ClientSetup,
    Reply,
    json_reply,
    run_client,
    run_rpc,
)

PAGES = {"3a343e": 5, "443b59": 5, "53f70b": 5, "792ff1": 5, "97cbf3": 5, "b290f4": 25}


def fetch_signatures(server, realdata, name):
    """Return the captured rows and the records made of them. Only the id of the
    response differs.
    """
    captured = json.loads(
        (realdata / "http" / "solana_rpc" / f"get_txids_{name}.json").read_text()
    )
    server.replies = [json_reply({**captured, "id": 1})]
    return captured["result"], run_rpc(
        server.url, lambda rpc: rpc.signatures("address")
    )


@pytest.mark.parametrize(("name", "count"), PAGES.items())
def test_every_row_of_a_captured_page_of_signatures_becomes_a_record(
    server, realdata, name, count
):
    wire, rows = fetch_signatures(server, realdata, name)
    assert len(rows) == count
    assert [(row.signature, row.slot, row.failed, row.block_time) for row in rows] == [
        (row["signature"], row["slot"], row["err"] is not None, row["blockTime"])
        for row in wire
    ]


def test_captured_rows_without_a_time_have_no_block_time(server, realdata):
    _, rows = fetch_signatures(server, realdata, "97cbf3")
    assert [(row.slot, row.block_time) for row in rows][:2] == [
        (64632696, 1612871620),
        (17393846, None),
    ]


def test_every_real_transaction_is_decoded_from_a_helius_page(server, realdata):
    paths = sorted((realdata / "transactions" / "rpc").glob("*.json"))
    assert len(paths) == 225
    body = (
        b'{"jsonrpc":"2.0","id":1,"result":{"data":['
        + b",".join(path.read_bytes() for path in paths)
        + b"]}}"
    )
    server.replies = [Reply(body)]
    setup = ClientSetup()
    page = run_client(
        server.url,
        lambda client: Helius(JsonRpc(client), setup.meter).transactions("address"),
        setup=setup,
    )
    assert (page.rows.rejected, page.rows.cause, page.next_token) == (0, "", None)
    assert [row.signature[:16] for row in page.rows] == [path.stem for path in paths]
    assert setup.meter.usage()["testing"]["credits"] == 30


def test_every_real_transaction_is_decoded_from_a_single_call(server, realdata):
    paths = {}
    for path in (realdata / "transactions" / "rpc").glob("*.json"):
        paths[json.loads(path.read_bytes())["transaction"]["signatures"][0]] = path
    server.serve_rpc(
        {
            "getTransaction": lambda signature, _: json.loads(
                paths[signature].read_bytes()
            )
        }
    )
    fetched = run_rpc(server.url, lambda rpc: rpc.transactions(list(paths)))
    assert (sorted(fetched.records), fetched.rejected) == (sorted(paths), {})
