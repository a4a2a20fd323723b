"""Faults on demand, and requests that are not valid HTTP."""

import http.client
import json
from contextlib import closing

import pytest

CALL = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []}
PROFILES = ("GET", "/dexscreener/token-profiles/latest/v1")
BOOSTS = ("GET", "/dexscreener/token-boosts/top/v1")
RPC = ("POST", "/rpc", CALL)
EVERY_PROVIDER = {
    "rpc": RPC,
    "helius": ("POST", "/helius/?api-key=key", CALL),
    "dexscreener": PROFILES,
    "geckoterminal": ("GET", "/geckoterminal/networks/solana/trending_pools"),
    "jupiter": ("GET", "/jupiter/tokens/v2/recent"),
    "prices": ("GET", "/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=1"),
}


def status_of(market, request):
    return market.raw(*request)[0]


def statuses_of_all(market):
    return {
        name: status_of(market, request) for name, request in EVERY_PROVIDER.items()
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("429", 429),
        ("429_no_retry_after", 429),
        ("451", 451),
        ("500", 500),
        ("503", 503),
        ("html403", 403),
    ],
)
@pytest.mark.parametrize("provider", ["rpc", "dexscreener"])
def test_a_status_fault_hits_only_the_next_calls(market, kind, status, provider):
    market.fault(provider=provider, match="*", kind=kind, count=2, seconds=3)
    responses = [market.raw(*EVERY_PROVIDER[provider]) for _ in range(3)]
    assert [response[0] for response in responses] == [status, status, 200]
    assert responses[0][1].get("Retry-After") == ("3" if kind == "429" else None)


def test_a_fault_can_be_limited_to_a_method(market):
    market.fault(provider="rpc", match="getTransaction", kind="503", count=1)
    assert status_of(market, RPC) == 200
    assert market.raw("POST", "/rpc", {**CALL, "method": "getTransaction"})[0] == 503


def test_a_fault_can_be_limited_to_a_part_of_a_path(market):
    market.fault(
        provider="dexscreener", match="token-profiles/latest", kind="500", count=1
    )
    assert status_of(market, BOOSTS) == 200
    assert status_of(market, PROFILES) == 500


def test_cut_json_cannot_be_parsed(market):
    market.fault(provider="rpc", kind="cut_json", count=1)
    status, _, body = market.raw(*RPC)
    assert status == 200
    with pytest.raises(ValueError, match=r".+"):
        json.loads(body)


def test_a_cut_connection_ends_inside_the_body(market):
    market.fault(provider="rpc", kind="cut_connection", count=1)
    with pytest.raises(http.client.IncompleteRead):
        market.raw(*RPC)
    market.close()


def test_a_garbled_rpc_response_has_a_result_of_another_shape(market, small_world):
    market.fault(provider="rpc", match="getTransaction", kind="garbled", count=1)
    result = market.rpc("getTransaction", small_world.transactions[0].signature)
    assert result["slot"] == "not a slot"


def test_a_garbled_rest_response_is_json_of_another_shape(market):
    market.fault(provider="jupiter", kind="garbled", count=1)
    assert "unexpected" in market.get("/jupiter/tokens/v2/recent")


def test_a_slow_response_still_arrives(market):
    market.fault(provider="rpc", kind="slow", count=1, seconds=0.05)
    assert market.rpc("getSlot") > 0


def test_null_block_times_of_transactions_and_blocks(market, small_world):
    transaction = next(t for t in small_world.transactions if t.version is None)
    market.fault(
        provider="rpc", match="getTransaction", kind="null_block_time", count=1
    )
    assert market.rpc("getTransaction", transaction.signature)["blockTime"] is None
    market.fault(provider="rpc", match="getBlockTime", kind="null_block_time", count=1)
    assert market.rpc("getBlockTime", transaction.slot) is None


def test_a_null_result(market, small_world):
    transaction = next(t for t in small_world.transactions if t.version is None)
    market.fault(provider="rpc", match="getTransaction", kind="null_result", count=1)
    assert market.rpc("getTransaction", transaction.signature) is None


def test_a_repeated_page_ignores_the_cursor(market, small_world):
    token = next(iter(small_world.tokens.values()))
    pool = small_world.accounts.address(token.pools[0].account)
    first = market.rpc("getSignaturesForAddress", pool, {"limit": 10})
    market.fault(
        provider="rpc", match="getSignaturesForAddress", kind="repeat_page", count=1
    )
    second = market.rpc(
        "getSignaturesForAddress", pool, {"limit": 10, "before": first[-1]["signature"]}
    )
    assert second == first


def test_a_missing_pair_is_an_empty_response(market, small_world):
    mint = next(iter(small_world.tokens))
    market.fault(provider="dexscreener", kind="missing_pair", count=1)
    assert market.get(f"/dexscreener/tokens/v1/solana/{mint}") == []
    assert market.get(f"/dexscreener/tokens/v1/solana/{mint}") != []


def test_faults_can_be_cleared(market):
    market.fault(provider="rpc", kind="500", count=9)
    market.clear_faults()
    assert status_of(market, RPC) == 200


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "earthquake"},
        {"provider": "nobody", "kind": "500"},
        {"kind": "500", "colour": 1},
        7,
    ],
    ids=["kind", "provider", "key", "type"],
)
def test_an_invalid_fault_is_refused(market, body):
    assert market.raw("POST", "/__sim__/faults", body)[0] == 400


def test_a_fault_of_every_provider_lasts_until_it_is_cleared(market):
    market.fault(provider="*", match="*", kind="503", count=10**9)
    for _ in range(3):
        assert statuses_of_all(market) == dict.fromkeys(EVERY_PROVIDER, 503)
    assert market.raw("POST", "/rpc", [CALL, CALL])[0] == 503
    assert market.get("/__sim__/health") == {"status": "ok"}
    market.clear_faults()
    assert statuses_of_all(market) == dict.fromkeys(EVERY_PROVIDER, 200)


def test_a_fault_can_cut_the_connections_of_every_provider(market):
    market.fault(provider="*", match="*", kind="cut_connection", count=10**9)
    for request in EVERY_PROVIDER.values():
        with pytest.raises(http.client.IncompleteRead):
            market.raw(*request)
        market.close()
    market.clear_faults()
    assert statuses_of_all(market) == dict.fromkeys(EVERY_PROVIDER, 200)


def test_pipelined_requests_get_responses_in_order(market):
    connection = http.client.HTTPConnection(
        market.server.host, market.server.port, timeout=5
    )
    received = b""
    with closing(connection):
        connection.connect()
        connection.sock.sendall(b"GET /__sim__/health HTTP/1.1\r\n\r\nnonsense\r\n\r\n")
        while True:
            chunk = connection.sock.recv(65536)
            if not chunk:
                break
            received += chunk
    first, second = received.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(b"400")
