"""A client and the circuit breaker of its provider: who waits, who is refused, who is
sent, and who is informed.
"""

import asyncio

import aiohttp
import pytest

from discovery.clients.usage import BudgetExhausted, UsageMeter
from discovery.providers import http
from discovery.providers.breaker import FAILURE_THRESHOLD, Breaker, LocalBreakerStore
from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    CircuitOpen,
    KeyRefused,
    NotFound,
    ProviderError,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from tests.providers.local_server import (
    ClientSetup,
    FakeTime,
    Reply,
    json_reply,
    text_reply,
)

GOOD, DOWN = json_reply({"good": True}), text_reply("", 503)


class RecordingObserver:
    """An Observer that records its events as words."""

    def __init__(self):
        self.events = []

    def request_succeeded(self, provider):
        self.events.append("succeeded")

    def request_failed(self, provider, error):
        self.events.append(error.code)

    def circuit_opened(self, provider, seconds):
        self.events.append(f"opened for {seconds:.0f} s")

    def circuit_closed(self, provider):
        self.events.append("closed")


class MeanwhileTime(FakeTime):
    """At the first sleep, something else happens."""

    meanwhile = None

    async def sleep(self, seconds):
        await super().sleep(seconds)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


class Guarded:
    """A client with a breaker and an observer, whose waits cost no real time."""

    def __init__(self, url, setup=None, **options):
        self.url, self.setup, self.options = (
            url,
            setup or ClientSetup(time=MeanwhileTime()),
            options,
        )
        self.observer = RecordingObserver()
        time = self.setup.time
        self.breaker = Breaker(
            "testing", LocalBreakerStore(time.clock), sleep=time.sleep
        )

    def open_meanwhile(self):
        """Let other requests open the circuit while the client sleeps for the first
        time.
        """
        self.setup.time.meanwhile = self.fail_others

    async def fail_others(self):
        for number in range(FAILURE_THRESHOLD):
            await self.breaker.record_failure(
                f"other {number}", "server error (HTTP 502)"
            )

    def run(self, work):
        async def main():
            time = self.setup.time
            async with aiohttp.ClientSession() as session:
                options = {
                    "breaker": self.breaker,
                    "observer": self.observer,
                    **self.options,
                }
                client = self.setup.client(
                    session, self.url, sleep=time.sleep, clock=time.clock, **options
                )
                return await work(client)

        return asyncio.run(main())


@pytest.fixture
def real_retries(monkeypatch):
    """Retry as in production: these tests sleep in time that costs nothing."""
    monkeypatch.setattr(http, "FIRST_BACKOFF_SECONDS", 0.25)
    monkeypatch.setattr(http, "MAX_ATTEMPTS", 24)


def down_for(server, guarded, seconds, reply=DOWN):
    end = guarded.setup.time.now + seconds
    server.answer = lambda _: reply if guarded.setup.time.now < end else GOOD


async def request_fails(client, error=ProviderError):
    with pytest.raises(error) as caught:
        await client.request()
    return caught.value


@pytest.mark.parametrize("seconds", [30, 45])
def test_an_outage_shorter_than_the_timeout_fails_no_request(
    server, real_retries, seconds
):
    guarded = Guarded(server.url)

    async def work(client):
        for _ in range(FAILURE_THRESHOLD + 1):
            down_for(server, guarded, seconds)
            await client.request()

    guarded.run(work)
    assert guarded.observer.events == ["succeeded"] * (FAILURE_THRESHOLD + 1)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (DOWN, ServerFailed),
        (Reply(b'{"good":', cut=True), Unreachable),
        (text_reply("", 429), RateLimited),
        (text_reply("banned", 429, retry_after="3000"), RateLimited),
    ],
)
def test_failed_requests_open_the_circuit_and_the_next_is_not_sent(
    server, reply, error
):
    guarded = Guarded(server.url, deadline_seconds=20)
    server.replies = [reply]

    async def work(client):
        for _ in range(FAILURE_THRESHOLD):
            await request_fails(client, error)
        sent, calls = len(server.requests), guarded.setup.meter.total_calls
        refused = await request_fails(client, CircuitOpen)
        assert (len(server.requests), guarded.setup.meter.total_calls) == (sent, calls)
        return refused

    refused = guarded.run(work)
    assert refused.wait_seconds == pytest.approx(30, abs=5)
    assert refused.cause.startswith("circuit open after repeated failures, the last: ")
    # A request that was not sent proves nothing about the provider.
    assert guarded.observer.events == [error("", "").code] * FAILURE_THRESHOLD + [
        "opened for 30 s"
    ]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (text_reply("", 404), NotFound),
        (text_reply("", 400), BadRequest),
        (text_reply("", 401), KeyRefused),
        (text_reply("<html>", 200), BadPayload),
    ],
)
def test_a_provider_that_responds_never_opens_the_circuit(server, reply, error):
    guarded = Guarded(server.url)
    server.replies = [reply]

    async def work(client):
        for _ in range(2 * FAILURE_THRESHOLD):
            await request_fails(client, error)

    guarded.run(work)
    assert guarded.observer.events == [error("", "").code] * (2 * FAILURE_THRESHOLD)


def test_a_request_in_flight_when_the_circuit_opens_waits_within_its_deadline(server):
    guarded = Guarded(server.url)
    guarded.open_meanwhile()
    down_for(server, guarded, 20)
    began = guarded.setup.time.now
    response = guarded.run(lambda client: client.request())
    assert response.body == GOOD.body
    # Sent once before the circuit opened and once after: no attempts are wasted on an
    # open circuit.
    assert len(server.requests) == 2
    assert guarded.setup.time.now - began == pytest.approx(30, abs=1)
    assert guarded.observer.events == ["succeeded", "closed"]


def test_a_request_in_flight_with_a_near_deadline_is_refused_without_waiting(server):
    guarded = Guarded(server.url, deadline_seconds=25)
    guarded.open_meanwhile()
    server.replies = [DOWN]
    began = guarded.setup.time.now
    refused = guarded.run(lambda client: request_fails(client, CircuitOpen))
    assert "server error (HTTP 502)" in refused.cause
    assert guarded.setup.time.now - began < 2
    assert (len(server.requests), guarded.observer.events) == (1, [])


def test_a_request_queued_for_the_rate_limiter_is_not_sent_while_the_circuit_is_open(
    server,
):
    guarded = Guarded(server.url, ClientSetup(time=MeanwhileTime(), calls_per_second=1))
    guarded.open_meanwhile()
    times = []

    def answer(_):
        times.append(guarded.setup.time.now)
        return GOOD

    server.answer = answer

    async def two(client):
        await client.request()
        await client.request()

    guarded.run(two)
    first, second = times
    assert second - first >= 30


def test_waiting_for_the_breaker_counts_towards_the_deadline(server, real_retries):
    guarded = Guarded(server.url)
    server.replies = [DOWN]
    began = guarded.setup.time.now

    async def work(client):
        await guarded.fail_others()
        return await request_fails(client, ServerFailed)

    guarded.run(work)
    assert 30 < guarded.setup.time.now - began <= http.DEADLINE_SECONDS
    assert guarded.observer.events == ["server_failed", "opened for 60 s"]


def test_the_response_to_a_probe_closes_the_circuit(server):
    guarded = Guarded(server.url)

    async def work(client):
        await guarded.fail_others()
        await client.request()
        await client.request()

    guarded.run(work)
    assert guarded.observer.events == ["succeeded", "closed", "succeeded"]


def test_a_404_to_a_probe_closes_the_circuit_too(server):
    guarded = Guarded(server.url)
    server.replies = [text_reply("", 404), GOOD]

    async def work(client):
        await guarded.fail_others()
        await request_fails(client, NotFound)
        await client.request()

    guarded.run(work)
    assert guarded.observer.events == ["not_found", "closed", "succeeded"]


def test_a_probe_that_the_budget_stops_releases_its_slot(server):
    guarded = Guarded(server.url, ClientSetup(UsageMeter(max_calls=0)))

    async def work(client):
        await guarded.fail_others()
        with pytest.raises(BudgetExhausted):
            await client.request()
        return await guarded.breaker.allows("another")

    assert guarded.run(work)


def test_a_cancelled_probe_releases_its_slot(server):
    guarded = Guarded(server.url)

    async def work(client):
        await guarded.fail_others()
        task = asyncio.ensure_future(client.request())

        def answer(_):
            task.get_loop().call_soon_threadsafe(task.cancel)
            return DOWN

        server.answer = answer
        with pytest.raises(asyncio.CancelledError):
            await task
        return await guarded.breaker.allows("another")

    assert guarded.run(work)
    assert server.requests


def test_opening_and_closing_are_logged_once(server, caplog):
    caplog.set_level("INFO")
    guarded = Guarded(server.url)
    server.replies = [DOWN] * (FAILURE_THRESHOLD * http.MAX_ATTEMPTS) + [GOOD]

    async def work(client):
        for _ in range(FAILURE_THRESHOLD):
            await request_fails(client, ServerFailed)
        await client.request()
        await client.request()

    guarded.run(work)
    lines = [
        record for record in caplog.records if record.name == "discovery.providers.http"
    ]
    assert [line.getMessage() for line in lines] == ["circuit opened", "circuit closed"]
    assert (lines[0].provider, lines[0].cause) == ("testing", "server error (HTTP 503)")
