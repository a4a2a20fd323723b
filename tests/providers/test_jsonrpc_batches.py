"""Batches: results in any order, refused as a whole, failing in parts."""

import random

import pytest

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
from tests.providers.local_server import (
    ClientSetup,
    Reply,
    json_reply,
    reply_id,
    run_client,
    text_reply,
)


def call_many(url, count=3, setup=None, **options):
    return run_client(
        url,
        lambda client: JsonRpc(client, **options).call_many(
            "double", [[n] for n in range(count)]
        ),
        setup=setup,
    )


def result(place, value):
    return {"jsonrpc": "2.0", "id": place, "result": value}


def error(place, code, message=""):
    return {"jsonrpc": "2.0", "id": place, "error": {"code": code, "message": message}}


def test_results_are_matched_by_id_in_any_order(server):
    def shuffled(request):
        rows = [result(call["id"], call["params"][0] * 2) for call in request.json]
        random.Random(7).shuffle(rows)
        return json_reply(rows)

    server.answer = shuffled
    assert call_many(server.url, 50) == {
        number: str(number * 2).encode() for number in range(50)
    }
    assert len(server.requests) == 1


def test_items_of_a_batch_fail_alone(server):
    server.replies = [
        json_reply(
            [error(1, -32602, "bad"), result(0, "a"), error(2, -32007), result(3, None)]
        )
    ]
    results = call_many(server.url, 4)
    assert (results[0], results[3]) == (b'"a"', b"null")
    assert isinstance(results[1], BadRequest)
    assert isinstance(results[2], NotFound)


def test_missing_items_are_bad_payloads_and_foreign_ones_ignored(server):
    server.replies = [
        json_reply([result(0, 1), result(None, 5), result("1", 5), {"id": 2}])
    ]
    results = call_many(server.url, 3)
    assert results[0] == b"1"
    assert isinstance(results[1], BadPayload)
    assert isinstance(results[2], BadPayload)


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(
            {
                "id": None,
                "error": {"code": -32403, "message": "Batch requests need a paid plan"},
            },
            403,
        ),
        json_reply([error(0, -32403), error(1, -32403), error(2, -32403)], 403),
        json_reply([error(0, -32403), error(1, -32403), error(2, -32403)]),
        json_reply(
            {"id": None, "error": {"code": -32600, "message": "Invalid request"}}
        ),
        json_reply(
            {
                "id": None,
                "error": {"code": -32600, "message": "Batch is not supported"},
            },
            400,
        ),
        text_reply("Request Entity Too Large", 413),
        text_reply("batches are off", 403),
        json_reply({"id": 0, "result": 1}),
    ],
    ids=reply_id,
)
def test_a_refused_batch_is_unsupported(server, reply):
    server.replies = [reply]
    with pytest.raises(Unsupported):
        call_many(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (text_reply("<html>Bad gateway</html>", 502), ServerFailed),
        (text_reply("<html>hello</html>", 200), BadPayload),
        (Reply(b'[{"id":0,"result":1},{"id":1,'), BadPayload),
        (text_reply("too many requests from this IP", 429), RateLimited),
        (json_reply([error(0, -32429, "rate limited")] * 3, 429), RateLimited),
        (json_reply([error(0, -32429, "rate limited")] * 3), RateLimited),
        (
            json_reply({"error": {"code": -32429, "message": "rate limited"}}, 429),
            RateLimited,
        ),
        (
            json_reply(
                {"error": {"code": -32429, "message": "max usage reached"}}, 429
            ),
            QuotaUsedUp,
        ),
        (
            json_reply({"error": {"code": -32401, "message": "Unauthorized"}}, 401),
            KeyRefused,
        ),
        (text_reply("who are you", 401), KeyRefused),
        (json_reply([error(n, -32005, "behind") for n in range(3)]), ServerFailed),
    ],
    ids=reply_id,
)
def test_an_error_of_a_whole_batch_does_not_mean_that_batches_are_unsupported(
    server, reply, kind
):
    server.replies = [reply]
    with pytest.raises(kind):
        call_many(server.url)
    assert (len(server.requests) > 1) == kind.retryable


def test_a_batch_that_failed_as_a_whole_is_retried(server):
    server.replies = [
        text_reply("", 500),
        json_reply([result(0, 1), result(1, 2), result(2, 3)]),
    ]
    assert call_many(server.url) == {0: b"1", 1: b"2", 2: b"3"}


def test_an_empty_response_leaves_every_item_without_a_result(server):
    server.replies = [json_reply([])]
    assert {type(result) for result in call_many(server.url).values()} == {BadPayload}


@pytest.mark.parametrize(("each", "calls"), [(True, 3), (False, 1)])
def test_a_batch_is_counted_as_the_provider_counts_it(server, each, calls):
    server.replies = [json_reply([result(0, 1), result(1, 2), result(2, 3)])]
    setup = ClientSetup()
    call_many(server.url, setup=setup, batch_counts_each=each)
    assert setup.meter.total_calls == calls
