"""The HTTP client against a server that fails in every way a provider does."""

import asyncio
import threading
import time

import pytest

from discovery.clients.usage import BudgetExhausted, UsageMeter
from discovery.providers import http
from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from tests.providers.local_server import (
    ClientSetup,
    FakeTime,
    Reply,
    json_reply,
    run_client,
    text_reply,
)

GOOD = json_reply({"good": True})


def request(url, setup=None, **options):
    return run_client(
        url,
        lambda client: client.request("/x", params={"a": "b"}),
        setup=setup,
        **options,
    )


def test_a_response_is_returned_unchanged(server):
    server.replies = [json_reply([1, 2], etag="v1")]
    response = request(server.url)
    assert (response.status, response.body, response.headers["Etag"]) == (
        200,
        b"[1, 2]",
        "v1",
    )
    assert [(r.method, r.path) for r in server.requests] == [("GET", "/x?a=b")]


def test_a_request_with_json_is_a_post(server):
    run_client(server.url, lambda client: client.request(json={"id": 1}))
    assert (server.requests[0].method, server.requests[0].json) == ("POST", {"id": 1})
    assert server.requests[0].headers["Content-Type"] == "application/json"


def test_a_429_is_retried_after_the_pause_that_the_provider_names(server):
    server.replies = [text_reply("slow down", 429, retry_after="7"), GOOD]
    setup = ClientSetup()
    assert request(server.url, setup).body == GOOD.body
    assert setup.time.slept == [pytest.approx(7)]


@pytest.mark.parametrize(
    "headers",
    [{}, {"retry_after": "0"}, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}],
)
def test_a_429_without_a_pause_is_retried_after_the_default_pause(server, headers):
    server.replies = [text_reply("slow down", 429, **headers), GOOD]
    setup = ClientSetup()
    request(server.url, setup)
    assert setup.time.slept == [pytest.approx(http.DEFAULT_PAUSE_SECONDS)]


def test_a_429_with_a_pause_beyond_the_deadline_fails_at_once(server):
    server.replies = [text_reply("banned", 418, retry_after="3000"), GOOD]
    setup = ClientSetup()
    with pytest.raises(RateLimited) as caught:
        request(server.url, setup)
    assert caught.value.wait_seconds == 3000
    assert len(server.requests) == 1


def test_a_ban_delays_the_next_request_no_longer_than_a_deadline(server):
    server.replies = [text_reply("banned", 418, retry_after="3000"), GOOD]
    setup = ClientSetup()

    async def two(client):
        with pytest.raises(RateLimited):
            await client.request()
        return await client.request()

    assert run_client(server.url, two, setup=setup).status == 200
    assert sum(setup.time.slept) <= http.DEADLINE_SECONDS


def test_every_429_is_counted_on_the_meter(server):
    server.replies = [text_reply("", 429), text_reply("", 429), GOOD]
    setup = ClientSetup()
    request(server.url, setup)
    assert setup.meter.usage() == {
        "testing": {"calls": 3, "credits": 0, "rate_limited": 2}
    }


def test_server_errors_are_retried_until_a_response_is_good(server):
    server.replies = [
        text_reply("", 500),
        text_reply("", 503),
        text_reply("", 504),
        GOOD,
    ]
    assert request(server.url).body == GOOD.body
    assert len(server.requests) == 4


def test_a_server_that_keeps_failing_fails_the_request_with_its_status(server):
    server.replies = [text_reply("oops", 502)]
    with pytest.raises(ServerFailed, match=r"testing: .*502"):
        request(server.url)
    assert len(server.requests) == http.MAX_ATTEMPTS


def test_a_cut_connection_is_retried(server):
    server.replies = [Reply(b'{"good":', cut=True), GOOD]
    assert request(server.url).body == GOOD.body


def test_truncated_json_is_retried(server):
    server.replies = [Reply(b'{"good": tr'), GOOD]
    assert request(server.url).body == GOOD.body


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1,2", b"[" * 100_000 + b"]" * 100_000]
)
def test_a_response_that_is_never_json_is_a_bad_payload(server, body):
    server.replies = [Reply(body)]
    with pytest.raises(BadPayload):
        request(server.url)


def test_a_body_that_cannot_be_decompressed_is_retried(server):
    server.replies = [Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), GOOD]
    assert request(server.url).body == GOOD.body


def test_silence_beyond_the_read_timeout_is_retried(server, monkeypatch):
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    released = threading.Event()
    server.replies = [Reply(wait=released), GOOD]
    try:
        assert request(server.url).body == GOOD.body
    finally:
        released.set()


def test_a_response_that_trickles_is_cut_at_the_deadline(server, monkeypatch):
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    released = threading.Event()
    server.replies = [Reply(wait=released, trickle=True)]
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="no response in time"):
            request(server.url, deadline_seconds=0.3)
    finally:
        released.set()
    assert time.monotonic() - began < 3


def test_without_a_server_the_provider_is_unreachable(unused_url):
    with pytest.raises(Unreachable, match="connection failed"):
        request(unused_url)


def test_nothing_is_retried_after_the_deadline(server):
    server.replies = [text_reply("", 500)]
    with pytest.raises(ServerFailed):
        request(server.url, deadline_seconds=0.0)
    assert len(server.requests) == 1


class SlowTime(FakeTime):
    """Every sleep takes a tenth of a second of real time."""

    async def sleep(self, seconds):
        await asyncio.sleep(0.1)
        await super().sleep(seconds)


def test_waiting_for_the_rate_limiter_does_not_count_towards_the_deadline(server):
    server.replies = [GOOD, text_reply("", 500), GOOD]

    async def two(client):
        await client.request()
        return await client.request()

    setup = ClientSetup(time=SlowTime(), calls_per_second=1)
    assert (
        run_client(server.url, two, setup=setup, deadline_seconds=0.09).body
        == GOOD.body
    )
    assert setup.time.slept == [pytest.approx(1), pytest.approx(1)]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, KeyRefused),
        (403, KeyRefused),
        (404, NotFound),
        (400, BadRequest),
        (451, BadRequest),
    ],
)
def test_a_final_refusal_is_not_retried(server, status, error):
    server.replies = [text_reply("no", status)]
    with pytest.raises(error):
        request(server.url)
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed(server):
    server.replies = [Reply(b"", 301, {"Location": f"{server.url}/elsewhere"})]
    with pytest.raises(ServerFailed, match="301"):
        request(server.url)
    assert {r.path for r in server.requests} == {"/x?a=b"}


def test_an_exhausted_budget_stops_at_once(server):
    server.replies = [text_reply("", 500)]
    setup = ClientSetup(UsageMeter(max_calls=2))
    with pytest.raises(BudgetExhausted, match="2 calls"):
        request(server.url, setup)
    assert (len(server.requests), setup.meter.total_calls) == (2, 2)


def test_a_batch_counts_as_each_of_its_calls(server):
    setup = ClientSetup(calls_per_second=10)

    async def two(client):
        await client.request(json=[], calls=20)
        await client.request(json=[])

    run_client(server.url, two, setup=setup)
    assert setup.meter.total_calls == 21
    assert setup.time.slept == [pytest.approx(2.0)]


def test_the_providers_own_meaning_comes_before_the_status(server):
    server.replies = [text_reply("", 500)]
    with pytest.raises(NotFound):
        run_client(
            server.url,
            lambda client: client.request(
                classify=lambda _: NotFound("testing", "means it")
            ),
        )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RateLimited, "rate_limited"),
        (BadPayload, "bad_payload"),
        (KeyRefused, "key_refused"),
    ],
)
def test_an_error_has_a_stable_code_and_plain_words(kind, code):
    error = kind("someone", "the cause")
    assert (error.code, str(error)) == (code, "someone: the cause")
