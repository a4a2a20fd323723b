"""A question and the circuit breaker of its provider: who waits, who is refused, who is asked, and who is told."""

import asyncio

import aiohttp
import pytest
from local_server import FakeTime, Line, Reply, of, text

from discovery.clients.usage import BudgetSpent, RunMeter
from discovery.providers import http
from discovery.providers.breaker import OPENS_AFTER, Breaker, LocalBreakerStore
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

GOOD, DOWN = of({"good": True}), text("", 503)


class Told:
    """An Observer that keeps what it is told."""

    def __init__(self):
        self.words = []

    def answered(self, provider):
        self.words.append("answered")

    def failed(self, provider, error):
        self.words.append(error.code)

    def opened(self, provider, seconds):
        self.words.append(f"opened for {seconds:.0f} s")

    def closed(self, provider):
        self.words.append("closed")


class MeanwhileTime(FakeTime):
    """The first time that somebody sleeps, something else happens."""

    meanwhile = None

    async def sleep(self, seconds):
        await super().sleep(seconds)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


class Guarded:
    """A breaker, what the observer was told, and doors to a server whose waits cost no real time."""

    def __init__(self, url, line=None, **options):
        self.url, self.line, self.options = url, line or Line(time=MeanwhileTime()), options
        self.told = Told()
        time = self.line.time
        self.breaker = Breaker("testing", LocalBreakerStore(time.clock), sleep=time.sleep)

    def opens_meanwhile(self):
        """Others open the breaker while the question sleeps for the first time."""
        self.line.time.meanwhile = self.others_fail

    async def others_fail(self):
        for number in range(OPENS_AFTER):
            await self.breaker.failed(f"other {number}", "server error (HTTP 502)")

    def run(self, work):
        async def main():
            async with aiohttp.ClientSession() as session:
                options = {"breaker": self.breaker, "observer": self.told, **self.options}
                return await work(
                    self.line.door(session, self.url, sleep=self.line.time.sleep, clock=self.line.time.clock, **options)
                )

        return asyncio.run(main())


@pytest.fixture
def real_backoff(monkeypatch):
    """Attempts as in the product: these tests sleep in time that costs nothing."""
    monkeypatch.setattr(http, "FIRST_BACKOFF_SECONDS", 0.25)
    monkeypatch.setattr(http, "MAX_ATTEMPTS", 24)


def down_for(server, guarded, seconds, reply=DOWN):
    end = guarded.line.time.now + seconds
    server.answer = lambda _: reply if guarded.line.time.now < end else GOOD


async def ends(door, error=ProviderError):
    with pytest.raises(error) as caught:
        await door.ask()
    return caught.value


@pytest.mark.parametrize("seconds", [30, 45])
def test_an_outage_shorter_than_the_patience_ends_no_question_and_opens_nothing(server, real_backoff, seconds):
    guarded = Guarded(server.url)

    async def work(door):
        for _ in range(OPENS_AFTER + 1):
            down_for(server, guarded, seconds)
            await door.ask()

    guarded.run(work)
    assert guarded.told.words == ["answered"] * (OPENS_AFTER + 1)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (DOWN, ServerFailed),
        (Reply(b'{"good":', cut=True), Unreachable),
        (text("", 429), RateLimited),
        (text("banned", 429, retry_after="3000"), RateLimited),
    ],
)
def test_questions_that_end_in_failure_open_it_and_the_next_is_refused_unasked(server, reply, error):
    guarded = Guarded(server.url, deadline_seconds=20)
    server.replies = [reply]

    async def work(door):
        for _ in range(OPENS_AFTER):
            await ends(door, error)
        asked, calls = len(server.asked), guarded.line.meter.total_calls
        refused = await ends(door, CircuitOpen)
        assert (len(server.asked), guarded.line.meter.total_calls) == (asked, calls)
        return refused

    refused = guarded.run(work)
    assert refused.wait_seconds == pytest.approx(30, abs=5)
    assert refused.cause.startswith("left alone after repeated failures, the last: ")
    # One that was never asked says nothing of the provider.
    assert guarded.told.words == [error("", "").code] * OPENS_AFTER + ["opened for 30 s"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (text("", 404), NotFound),
        (text("", 400), BadRequest),
        (text("", 401), KeyRefused),
        (text("<html>", 200), BadPayload),
    ],
)
def test_a_provider_that_answers_something_is_never_left_alone(server, reply, error):
    guarded = Guarded(server.url)
    server.replies = [reply]

    async def work(door):
        for _ in range(2 * OPENS_AFTER):
            await ends(door, error)

    guarded.run(work)
    assert guarded.told.words == [error("", "").code] * (2 * OPENS_AFTER)


def test_a_question_on_its_way_when_it_opens_waits_and_is_answered_within_its_own_deadline(server):
    guarded = Guarded(server.url)
    guarded.opens_meanwhile()
    down_for(server, guarded, 20)
    began = guarded.line.time.now
    answer = guarded.run(lambda door: door.ask())
    assert answer.body == GOOD.body
    # Asked once before it opened, once after: the attempts are not spent on a provider that is left alone.
    assert len(server.asked) == 2
    assert guarded.line.time.now - began == pytest.approx(30, abs=1)
    assert guarded.told.words == ["answered", "closed"]


def test_a_question_on_its_way_whose_deadline_is_nearer_is_refused_without_waiting(server):
    guarded = Guarded(server.url, deadline_seconds=25)
    guarded.opens_meanwhile()
    server.replies = [DOWN]
    began = guarded.line.time.now
    refused = guarded.run(lambda door: ends(door, CircuitOpen))
    assert "server error (HTTP 502)" in refused.cause
    assert guarded.line.time.now - began < 2
    assert (len(server.asked), guarded.told.words) == (1, [])


def test_a_question_that_waits_in_the_line_of_the_pace_while_it_opens_is_not_asked_before_it_closes(server):
    guarded = Guarded(server.url, Line(time=MeanwhileTime(), calls_per_second=1))
    guarded.opens_meanwhile()
    moments = []

    def answer(_):
        moments.append(guarded.line.time.now)
        return GOOD

    server.answer = answer

    async def two(door):
        await door.ask()
        await door.ask()

    guarded.run(two)
    first, second = moments
    assert second - first >= 30


def test_time_waited_for_the_breaker_is_part_of_a_questions_deadline(server, real_backoff):
    guarded = Guarded(server.url)
    server.replies = [DOWN]
    began = guarded.line.time.now

    async def work(door):
        await guarded.others_fail()
        return await ends(door, ServerFailed)

    guarded.run(work)
    assert 30 < guarded.line.time.now - began <= http.DEADLINE_SECONDS
    assert guarded.told.words == ["server_failed", "opened for 60 s"]


def test_the_answer_to_a_probe_closes_it_for_all(server):
    guarded = Guarded(server.url)

    async def work(door):
        await guarded.others_fail()
        await door.ask()
        await door.ask()

    guarded.run(work)
    assert guarded.told.words == ["answered", "closed", "answered"]


def test_a_404_to_a_probe_closes_it_too(server):
    guarded = Guarded(server.url)
    server.replies = [text("", 404), GOOD]

    async def work(door):
        await guarded.others_fail()
        await ends(door, NotFound)
        await door.ask()

    guarded.run(work)
    assert guarded.told.words == ["not_found", "closed", "answered"]


def test_a_probe_that_the_budget_stops_leaves_its_place_to_another(server):
    guarded = Guarded(server.url, Line(RunMeter(most_calls=0)))

    async def work(door):
        await guarded.others_fail()
        with pytest.raises(BudgetSpent):
            await door.ask()
        return await guarded.breaker.allows("another")

    assert guarded.run(work)


def test_a_probe_that_is_cancelled_leaves_its_place_to_another(server):
    guarded = Guarded(server.url)

    async def work(door):
        await guarded.others_fail()
        task = asyncio.ensure_future(door.ask())

        def answer(_):
            task.get_loop().call_soon_threadsafe(task.cancel)
            return DOWN

        server.answer = answer
        with pytest.raises(asyncio.CancelledError):
            await task
        return await guarded.breaker.allows("another")

    assert guarded.run(work)
    assert server.asked


def test_an_opening_and_its_end_are_logged_once(server, caplog):
    caplog.set_level("INFO")
    guarded = Guarded(server.url)
    server.replies = [DOWN] * (OPENS_AFTER * http.MAX_ATTEMPTS) + [GOOD]

    async def work(door):
        for _ in range(OPENS_AFTER):
            await ends(door, ServerFailed)
        await door.ask()
        await door.ask()

    guarded.run(work)
    lines = [record for record in caplog.records if record.name == "discovery.providers.http"]
    assert [line.getMessage() for line in lines] == ["provider left alone", "provider is asked again"]
    assert (lines[0].provider, lines[0].cause) == ("testing", "server error (HTTP 503)")
