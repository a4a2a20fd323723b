"""Batches: any order, refused as a whole, failing in parts."""

import random

import pytest
from local_server import Line, Reply, brief, of, talk, text

from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unsupported,
)
from discovery.providers.jsonrpc import JsonRpc


def ask_many(url, count=3, line=None, **options):
    return talk(url, lambda door: JsonRpc(door, **options).ask_many("double", [[n] for n in range(count)]), line=line)


def result(place, value):
    return {"jsonrpc": "2.0", "id": place, "result": value}


def error(place, code, message=""):
    return {"jsonrpc": "2.0", "id": place, "error": {"code": code, "message": message}}


def test_answers_are_matched_by_their_id_in_any_order(server):
    def shuffled(request):
        rows = [result(call["id"], call["params"][0] * 2) for call in request.json]
        random.Random(7).shuffle(rows)
        return of(rows)

    server.answer = shuffled
    assert ask_many(server.url, 50) == {number: str(number * 2).encode() for number in range(50)}
    assert len(server.asked) == 1


def test_single_items_fail_alone(server):
    server.replies = [of([error(1, -32602, "bad"), result(0, "a"), error(2, -32007), result(3, None)])]
    found = ask_many(server.url, 4)
    assert (found[0], found[3]) == (b'"a"', b"null")
    assert isinstance(found[1], BadRequest)
    assert isinstance(found[2], NotFound)


def test_missing_and_foreign_items_are_told_apart(server):
    server.replies = [of([result(0, 1), result(None, 5), result("1", 5), {"id": 2}])]
    found = ask_many(server.url, 3)
    assert found[0] == b"1"
    assert isinstance(found[1], BadPayload)
    assert isinstance(found[2], BadPayload)


@pytest.mark.parametrize(
    "reply",
    [
        of({"id": None, "error": {"code": -32403, "message": "Batch requests need a paid plan"}}, 403),
        of([error(0, -32403), error(1, -32403), error(2, -32403)], 403),
        of([error(0, -32403), error(1, -32403), error(2, -32403)]),
        of({"id": None, "error": {"code": -32600, "message": "Invalid request"}}),
        of({"id": None, "error": {"code": -32600, "message": "Batch is not supported"}}, 400),
        text("Request Entity Too Large", 413),
        text("batches are off", 403),
        of({"id": 0, "result": 1}),
    ],
    ids=brief,
)
def test_a_refused_batch_is_said_to_be_unsupported(server, reply):
    server.replies = [reply]
    with pytest.raises(Unsupported):
        ask_many(server.url)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (text("<html>Bad gateway</html>", 502), ServerFailed),
        (text("<html>hello</html>", 200), BadPayload),
        (Reply(b'[{"id":0,"result":1},{"id":1,'), BadPayload),
        (text("too many requests from this IP", 429), RateLimited),
        (of([error(0, -32429, "rate limited")] * 3, 429), RateLimited),
        (of([error(0, -32429, "rate limited")] * 3), RateLimited),
        (of({"error": {"code": -32429, "message": "rate limited"}}, 429), RateLimited),
        (of({"error": {"code": -32429, "message": "max usage reached"}}, 429), QuotaUsedUp),
        (of({"error": {"code": -32401, "message": "Unauthorized"}}, 401), KeyRefused),
        (text("who are you", 401), KeyRefused),
        (of([error(n, -32005, "behind") for n in range(3)]), ServerFailed),
    ],
    ids=brief,
)
def test_what_befalls_a_whole_batch_is_no_word_against_batches(server, reply, kind):
    server.replies = [reply]
    with pytest.raises(kind):
        ask_many(server.url)
    assert (len(server.asked) > 1) == kind.retryable


def test_a_whole_batch_that_failed_in_passing_is_asked_again(server):
    server.replies = [text("", 500), of([result(0, 1), result(1, 2), result(2, 3)])]
    assert ask_many(server.url) == {0: b"1", 1: b"2", 2: b"3"}


def test_an_empty_answer_leaves_every_item_without_one(server):
    server.replies = [of([])]
    assert {type(answer) for answer in ask_many(server.url).values()} == {BadPayload}


@pytest.mark.parametrize(("each", "calls"), [(True, 3), (False, 1)])
def test_a_batch_is_counted_as_the_provider_counts_it(server, each, calls):
    server.replies = [of([result(0, 1), result(1, 2), result(2, 3)])]
    line = Line()
    ask_many(server.url, line=line, batch_counts_each=each)
    assert line.meter.total_calls == calls
