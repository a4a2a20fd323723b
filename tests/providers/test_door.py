"""The door to the network against a server that fails in every way a provider does."""

import asyncio
import threading
import time

import pytest
from local_server import FakeTime, Line, Reply, of, talk, text

from discovery.clients.usage import BudgetSpent, RunMeter
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

GOOD = of({"good": True})


def ask(url, line=None, **options):
    return talk(url, lambda door: door.ask("/x", params={"a": "b"}), line=line, **options)


def test_an_answer_is_given_as_it_came(server):
    server.replies = [of([1, 2], etag="v1")]
    answer = ask(server.url)
    assert (answer.status, answer.body, answer.headers["Etag"]) == (200, b"[1, 2]", "v1")
    assert [(r.method, r.path) for r in server.asked] == [("GET", "/x?a=b")]


def test_a_question_with_json_is_posted(server):
    talk(server.url, lambda door: door.ask(json={"id": 1}))
    assert (server.asked[0].method, server.asked[0].json) == ("POST", {"id": 1})
    assert server.asked[0].headers["Content-Type"] == "application/json"


def test_a_429_is_asked_again_after_the_time_the_provider_named(server):
    server.replies = [text("slow down", 429, retry_after="7"), GOOD]
    line = Line()
    assert ask(server.url, line).body == GOOD.body
    assert line.time.slept == [pytest.approx(7)]


@pytest.mark.parametrize("headers", [{}, {"retry_after": "0"}, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_a_429_that_names_no_time_waits_long_enough_to_matter(server, headers):
    server.replies = [text("slow down", 429, **headers), GOOD]
    line = Line()
    ask(server.url, line)
    assert line.time.slept == [pytest.approx(http.UNSAID_PAUSE_SECONDS)]


def test_a_429_for_longer_than_the_deadline_is_given_up_at_once(server):
    server.replies = [text("banned", 418, retry_after="3000"), GOOD]
    line = Line()
    with pytest.raises(RateLimited) as caught:
        ask(server.url, line)
    assert caught.value.wait_seconds == 3000
    assert len(server.asked) == 1


def test_a_ban_does_not_hold_the_next_question_longer_than_a_deadline(server):
    server.replies = [text("banned", 418, retry_after="3000"), GOOD]
    line = Line()

    async def two(door):
        with pytest.raises(RateLimited):
            await door.ask()
        return await door.ask()

    assert talk(server.url, two, line=line).status == 200
    assert sum(line.time.slept) <= http.DEADLINE_SECONDS


def test_every_429_is_metered(server):
    server.replies = [text("", 429), text("", 429), GOOD]
    line = Line()
    ask(server.url, line)
    assert line.meter.usage() == {"testing": {"calls": 3, "credits": 0, "rate_limited": 2}}


def test_server_errors_are_asked_again_until_an_answer_is_good(server):
    server.replies = [text("", 500), text("", 503), text("", 504), GOOD]
    assert ask(server.url).body == GOOD.body
    assert len(server.asked) == 4


def test_a_server_that_keeps_failing_is_given_up_with_its_status(server):
    server.replies = [text("oops", 502)]
    with pytest.raises(ServerFailed, match=r"testing: .*502"):
        ask(server.url)
    assert len(server.asked) == http.MAX_ATTEMPTS


def test_a_cut_connection_is_asked_again(server):
    server.replies = [Reply(b'{"good":', cut=True), GOOD]
    assert ask(server.url).body == GOOD.body


def test_cut_json_is_asked_again(server):
    server.replies = [Reply(b'{"good": tr'), GOOD]
    assert ask(server.url).body == GOOD.body


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,2", b"[" * 100_000 + b"]" * 100_000])
def test_an_answer_that_is_never_json_is_a_bad_payload(server, body):
    server.replies = [Reply(body)]
    with pytest.raises(BadPayload):
        ask(server.url)


def test_a_body_that_does_not_unpack_is_unreachable(server):
    server.replies = [Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), GOOD]
    assert ask(server.url).body == GOOD.body


def test_silence_beyond_the_read_timeout_is_asked_again(server, monkeypatch):
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    released = threading.Event()
    server.replies = [Reply(wait=released), GOOD]
    try:
        assert ask(server.url).body == GOOD.body
    finally:
        released.set()


def test_an_answer_that_trickles_is_cut_at_the_deadline(server, monkeypatch):
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    released = threading.Event()
    server.replies = [Reply(wait=released, trickle=True)]
    began = time.monotonic()
    try:
        with pytest.raises(Unreachable, match="no answer in time"):
            ask(server.url, deadline_seconds=0.3)
    finally:
        released.set()
    assert time.monotonic() - began < 3


def test_no_server_is_unreachable(unused_url):
    with pytest.raises(Unreachable, match="connection failed"):
        ask(unused_url)


def test_nothing_is_asked_again_after_the_deadline(server):
    server.replies = [text("", 500)]
    with pytest.raises(ServerFailed):
        ask(server.url, deadline_seconds=0.0)
    assert len(server.asked) == 1


class SlowTurns(FakeTime):
    """Every wait for a turn takes a tenth of a second of real time."""

    async def sleep(self, seconds):
        await asyncio.sleep(0.1)
        await super().sleep(seconds)


def test_waiting_for_its_turn_takes_nothing_from_a_questions_deadline(server):
    server.replies = [GOOD, text("", 500), GOOD]

    async def two(door):
        await door.ask()
        return await door.ask()

    line = Line(time=SlowTurns(), calls_per_second=1)
    assert talk(server.url, two, line=line, deadline_seconds=0.09).body == GOOD.body
    assert line.time.slept == [pytest.approx(1), pytest.approx(1)]


@pytest.mark.parametrize(
    ("status", "error"), [(401, KeyRefused), (403, KeyRefused), (404, NotFound), (400, BadRequest), (451, BadRequest)]
)
def test_a_final_refusal_is_not_asked_again(server, status, error):
    server.replies = [text("no", status)]
    with pytest.raises(error):
        ask(server.url)
    assert len(server.asked) == 1


def test_a_redirect_is_not_followed(server):
    server.replies = [Reply(b"", 301, {"Location": f"{server.url}/elsewhere"})]
    with pytest.raises(ServerFailed, match="301"):
        ask(server.url)
    assert {request.path for request in server.asked} == {"/x?a=b"}


def test_a_spent_budget_stops_at_once(server):
    server.replies = [text("", 500)]
    line = Line(RunMeter(most_calls=2))
    with pytest.raises(BudgetSpent, match="2 calls"):
        ask(server.url, line)
    assert (len(server.asked), line.meter.total_calls) == (2, 2)


def test_a_batch_counts_each_of_its_calls(server):
    line = Line(calls_per_second=10)

    async def two(door):
        await door.ask(json=[], calls=20)
        await door.ask(json=[])

    talk(server.url, two, line=line)
    assert line.meter.total_calls == 21
    assert line.time.slept == [pytest.approx(2.0)]


def test_what_a_provider_means_comes_before_the_status(server):
    server.replies = [text("", 500)]
    with pytest.raises(NotFound):
        talk(server.url, lambda door: door.ask(classify=lambda _: NotFound("testing", "means it")))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("kind", "code"), [(RateLimited, "rate_limited"), (BadPayload, "bad_payload"), (KeyRefused, "key_refused")]
)
def test_an_error_has_a_stable_code_and_plain_words(kind, code):
    error = kind("someone", "the cause")
    assert (error.code, str(error)) == (code, "someone: the cause")
