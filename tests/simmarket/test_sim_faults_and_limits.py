"""Limits and faults on demand."""

import http.client
import json

import pytest

from simmarket.api.market import Options

CALL = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []}


def test_calls_above_the_limit_are_refused_with_a_retry_time(fresh):
    market = fresh(Options(calls_per_second=5))
    answers = [market.raw("POST", "/rpc", CALL) for _ in range(6)]
    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    assert answers[-1][1]["Retry-After"] == "1"
    assert market.stats()["limited"] == {"rpc": 1}


def test_a_batch_counts_as_one_call(fresh):
    market = fresh(Options(calls_per_second=2))
    assert market.raw("POST", "/rpc", [CALL] * 50)[0] == 200
    assert market.raw("POST", "/rpc", CALL)[0] == 200


def test_documented_limits_count_every_item_and_method(fresh):
    market = fresh(Options(calls_per_second=None))
    call = {**CALL, "method": "getBlockTime", "params": [1]}
    status, headers, body = market.raw("POST", "/rpc", [call] * 11)
    assert (status, headers["Retry-After"]) == (429, "10")
    assert body == b"too many requests for a specific RPC call"
    assert [market.raw("GET", "/jupiter/tokens/v2/recent")[0] for _ in range(31)].count(429) == 1


def test_providers_have_their_own_limits(fresh):
    market = fresh(Options(calls_per_second=1))
    assert market.raw("POST", "/rpc", CALL)[0] == 200
    assert market.raw("GET", "/jupiter/tokens/v2/recent")[0] == 200
    status, headers, body = market.raw("GET", "/jupiter/tokens/v2/recent")
    assert (status, body) == (429, b"[API Gateway] Too many requests")
    assert "x-ratelimit-reset" in headers
    assert "Retry-After" not in headers


def test_batches_can_be_refused(fresh):
    market = fresh(Options(batches=False))
    status, _, body = market.raw("POST", "/rpc", [CALL])
    assert (status, json.loads(body)["error"]["code"]) == (403, -32403)
    assert market.raw("POST", "/rpc", CALL)[0] == 200


@pytest.mark.parametrize(
    ("kind", "status"), [("429", 429), ("429_no_retry_after", 429), ("500", 500), ("503", 503), ("html403", 403)]
)
@pytest.mark.parametrize("provider", ["rpc", "dexscreener"])
def test_a_status_fault_hits_the_next_calls_only(market, kind, status, provider):
    market.fault(provider=provider, match="*", kind=kind, count=2, seconds=3)
    asks = {
        "rpc": lambda: market.raw("POST", "/rpc", CALL),
        "dexscreener": lambda: market.raw("GET", "/dexscreener/token-profiles/latest/v1"),
    }
    answers = [asks[provider]() for _ in range(3)]
    assert [answer[0] for answer in answers] == [status, status, 200]
    assert answers[0][1].get("Retry-After") == ("3" if kind == "429" else None)


def test_a_fault_waits_for_the_method_it_names(market):
    market.fault(provider="rpc", match="getTransaction", kind="503", count=1)
    assert market.raw("POST", "/rpc", CALL)[0] == 200
    assert market.raw("POST", "/rpc", {**CALL, "method": "getTransaction"})[0] == 503


def test_a_fault_may_name_a_part_of_a_path(market):
    market.fault(provider="dexscreener", match="token-profiles/latest", kind="500", count=1)
    assert market.raw("GET", "/dexscreener/token-boosts/top/v1")[0] == 200
    assert market.raw("GET", "/dexscreener/token-profiles/latest/v1")[0] == 500


def test_cut_json_is_no_json(market):
    market.fault(provider="rpc", kind="cut_json", count=1)
    status, _, body = market.raw("POST", "/rpc", CALL)
    assert status == 200
    with pytest.raises(ValueError, match=r".+"):
        json.loads(body)


def test_a_cut_connection_ends_inside_the_body(market):
    market.fault(provider="rpc", kind="cut_connection", count=1)
    with pytest.raises(http.client.IncompleteRead):
        market.raw("POST", "/rpc", CALL)
    market.close()


def test_a_garbled_answer_is_json_of_another_shape(market, small_world):
    market.fault(provider="rpc", match="getTransaction", kind="garbled", count=1)
    result = market.rpc("getTransaction", small_world.transactions[0].signature)
    assert result["slot"] == "not a slot"
    market.fault(provider="jupiter", kind="garbled", count=1)
    assert "unexpected" in market.get("/jupiter/tokens/v2/recent")


def test_a_slow_answer_keeps_the_order_of_its_connection(market):
    market.fault(provider="rpc", kind="slow", count=1, seconds=0.05)
    assert market.rpc("getSlot") > 0


def test_null_block_times_and_null_results(market, small_world):
    transaction = next(t for t in small_world.transactions if t.version is None)
    market.fault(provider="rpc", match="getTransaction", kind="null_block_time", count=1)
    assert market.rpc("getTransaction", transaction.signature)["blockTime"] is None
    market.fault(provider="rpc", match="getTransaction", kind="null_result", count=1)
    assert market.rpc("getTransaction", transaction.signature) is None
    market.fault(provider="rpc", match="getBlockTime", kind="null_block_time", count=1)
    assert market.rpc("getBlockTime", transaction.slot) is None


def test_a_repeated_page_ignores_the_cursor(market, small_world):
    token = next(iter(small_world.tokens.values()))
    pool = small_world.accounts.address(token.pools[0].account)
    first = market.rpc("getSignaturesForAddress", pool, {"limit": 10})
    market.fault(provider="rpc", match="getSignaturesForAddress", kind="repeat_page", count=1)
    again = market.rpc("getSignaturesForAddress", pool, {"limit": 10, "before": first[-1]["signature"]})
    assert again == first


def test_a_missing_pair_is_an_empty_answer(market, small_world):
    mint = next(iter(small_world.tokens))
    market.fault(provider="dexscreener", kind="missing_pair", count=1)
    assert market.get(f"/dexscreener/tokens/v1/solana/{mint}") == []
    assert market.get(f"/dexscreener/tokens/v1/solana/{mint}") != []


def test_faults_can_be_cleared_and_nonsense_is_refused(market):
    market.fault(provider="rpc", kind="500", count=9)
    market.raw("DELETE", "/__sim__/faults")
    assert market.raw("POST", "/rpc", CALL)[0] == 200
    for body in ({"kind": "earthquake"}, {"provider": "nobody", "kind": "500"}, {"kind": "500", "colour": 1}, 7):
        assert market.raw("POST", "/__sim__/faults", body)[0] == 400


EVERY_PROVIDER = {
    "rpc": ("POST", "/rpc", CALL),
    "helius": ("POST", "/helius/?api-key=key", CALL),
    "dexscreener": ("GET", "/dexscreener/token-profiles/latest/v1"),
    "geckoterminal": ("GET", "/geckoterminal/networks/solana/trending_pools"),
    "jupiter": ("GET", "/jupiter/tokens/v2/recent"),
    "prices": ("GET", "/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=1"),
}


def test_the_whole_market_is_down_until_it_is_cleared(market):
    market.fault(provider="*", match="*", kind="503", count=10**9)
    for _ in range(3):
        answers = {name: market.raw(*asked)[0] for name, asked in EVERY_PROVIDER.items()}
        assert answers == dict.fromkeys(EVERY_PROVIDER, 503)
    assert market.raw("POST", "/rpc", [CALL, CALL])[0] == 503
    assert market.get("/__sim__/health") == {"status": "ok"}
    market.raw("DELETE", "/__sim__/faults")
    answers = {name: market.raw(*asked)[0] for name, asked in EVERY_PROVIDER.items()}
    assert answers == dict.fromkeys(EVERY_PROVIDER, 200)


def test_the_whole_market_may_break_every_connection_instead(market):
    market.fault(provider="*", match="*", kind="cut_connection", count=10**9)
    for asked in EVERY_PROVIDER.values():
        with pytest.raises(http.client.IncompleteRead):
            market.raw(*asked)
        market.close()
    market.raw("DELETE", "/__sim__/faults")
    assert {market.raw(*asked)[0] for asked in EVERY_PROVIDER.values()} == {200}


def test_what_was_served_is_counted(fresh):
    market = fresh(Options())
    market.rpc("getSlot")
    market.get("/jupiter/tokens/v2/recent")
    stats = market.stats()
    assert stats["served"] == {"rpc": {"getSlot": 1}, "jupiter": {"/tokens/v2/recent": 1}}
    assert (stats["unhandled"], stats["unhandled_count"]) == ([], 0)
    assert 600 <= stats["started_at"] - stats["shift_seconds"] < 661
    assert stats["shift_seconds"] % 60 == 0
    assert market.get("/__sim__/health") == {"status": "ok"}


def test_requests_may_be_pipelined_or_malformed(market):
    market.raw("GET", "/__sim__/health")
    connection = http.client.HTTPConnection(market.server.host, market.server.port, timeout=5)
    connection.connect()
    connection.sock.sendall(b"GET /__sim__/health HTTP/1.1\r\n\r\nnonsense\r\n\r\n")
    received = b""
    while chunk := connection.sock.recv(65536):
        received += chunk
    connection.close()
    assert received.count(b"HTTP/1.1") == 2
    assert b"HTTP/1.1 400" in received
