"""Rate limits, batches and counters."""

import json
from types import SimpleNamespace

import pytest

from simmarket.api import limits
from simmarket.api.market import Options

CALL = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": []}
RECENT = "/jupiter/tokens/v2/recent"


@pytest.fixture(autouse=True)
def one_moment(monkeypatch):
    """Let all calls come at one moment, so that a slow machine stays within the same
    second.
    """
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: 1000.0))


def test_calls_above_the_limit_are_refused_with_a_retry_time(start_market):
    market = start_market(Options(calls_per_second=5))
    responses = [market.raw("POST", "/rpc", CALL) for _ in range(6)]
    assert [status for status, _, _ in responses] == [200] * 5 + [429]
    assert responses[-1][1]["Retry-After"] == "1"
    assert market.stats()["limited"] == {"rpc": 1}


def test_a_batch_counts_as_one_call(start_market):
    market = start_market(Options(calls_per_second=2))
    assert market.raw("POST", "/rpc", [CALL] * 50)[0] == 200
    assert market.raw("POST", "/rpc", CALL)[0] == 200


def test_documented_limits_count_every_call_of_a_batch_by_method(start_market):
    market = start_market(Options(calls_per_second=None))
    call = {**CALL, "method": "getBlockTime", "params": [1]}
    status, headers, body = market.raw("POST", "/rpc", [call] * 11)
    assert (status, headers["Retry-After"]) == (429, "10")
    assert body == b"too many requests for a specific RPC call"


def test_documented_limits_allow_thirty_jupiter_calls_a_minute(start_market):
    market = start_market(Options(calls_per_second=None))
    statuses = [market.raw("GET", RECENT)[0] for _ in range(31)]
    assert statuses.count(429) == 1


def test_each_provider_has_its_own_limit_and_response(start_market):
    market = start_market(Options(calls_per_second=1))
    assert market.raw("POST", "/rpc", CALL)[0] == 200
    assert market.raw("GET", RECENT)[0] == 200
    status, headers, body = market.raw("GET", RECENT)
    assert (status, body) == (429, b"[API Gateway] Too many requests")
    assert "x-ratelimit-reset" in headers
    assert "Retry-After" not in headers


def test_batches_can_be_refused(start_market):
    market = start_market(Options(batches=False))
    status, _, body = market.raw("POST", "/rpc", [CALL])
    assert (status, json.loads(body)["error"]["code"]) == (403, -32403)
    assert market.raw("POST", "/rpc", CALL)[0] == 200


def test_served_calls_are_counted_by_provider_and_name(start_market):
    market = start_market(Options())
    market.rpc("getSlot")
    market.get(RECENT)
    stats = market.stats()
    assert stats["served"] == {
        "rpc": {"getSlot": 1},
        "jupiter": {"/tokens/v2/recent": 1},
    }
    assert (stats["unhandled"], stats["unhandled_count"]) == ([], 0)


def test_the_world_ends_ten_to_eleven_minutes_before_the_start(start_market):
    market = start_market(Options())
    stats = market.stats()
    assert 600 <= stats["started_at"] - stats["shift_seconds"] < 661
    assert stats["shift_seconds"] % 60 == 0
    assert market.get("/__sim__/health") == {"status": "ok"}
