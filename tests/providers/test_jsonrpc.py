"""The meaning of error codes, plain text and HTML of nodes and gateways, for single
calls.
"""

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
    Reply,
    json_reply,
    reply_id,
    run_client,
    text_reply,
)

HTML = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>blocked</body></html>"


def call(url):
    return run_client(url, lambda client: JsonRpc(client).call("getSlot", []))


def error(code, message="", status=200, **headers):
    return json_reply(
        {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}},
        status,
        **headers,
    )


def error_of(server, reply):
    """Return the error of a call that always gets this reply, and the number of
    requests.
    """
    server.replies = [reply]
    with pytest.raises(Exception, match=r"^testing: ") as caught:
        call(server.url)
    return caught.value, len(server.requests)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (-32005, "Node is behind by 151 slots", ServerFailed),
        (-32005, "Too many requests", RateLimited),
        (-32005, "Rate limit exceeded, upgrade", RateLimited),
        (-32429, "rate limited", RateLimited),
        (-32429, "max usage reached", QuotaUsedUp),
        (429, "", RateLimited),
        (-32401, "Unauthorized", KeyRefused),
        (-32403, "Batch requests are only available for paid plans", Unsupported),
        (-32601, "Method not found", Unsupported),
        (-32004, "Block not available for slot 9", NotFound),
        (
            -32007,
            "Slot 9 was skipped, or missing due to ledger jump to recent snapshot",
            NotFound,
        ),
        (-32009, "Slot 9 was skipped, or missing in long-term storage", NotFound),
        (
            -32001,
            "Block 9 cleaned up, does not exist on node. First available block: 10",
            ServerFailed,
        ),
        (-32011, "Transaction history is not available from this node", ServerFailed),
        (-32014, "Block status not yet available for slot 9", ServerFailed),
        (-32019, "Failed to query long-term storage; please try again", ServerFailed),
        (-32603, "Internal error", ServerFailed),
        (
            -32015,
            "Transaction version (1) is not supported by the requesting client",
            BadRequest,
        ),
        (-32602, "Invalid params: unable to parse pubkey", BadRequest),
        (-32602, "Too many inputs provided; max 100", BadRequest),
        (-32600, "Invalid request", BadRequest),
    ],
)
def test_code_and_message_have_a_meaning(server, code, message, kind):
    caught, times = error_of(server, error(code, message))
    assert type(caught) is kind
    assert (times > 1) == kind.retryable


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (text_reply("max usage reached", 200), QuotaUsedUp),
        (text_reply("max usage reached", 429), QuotaUsedUp),
        (text_reply("too many requests for a specific RPC call", 429), RateLimited),
        (text_reply("too many requests from this IP", 403), RateLimited),
        (text_reply("rate limited", 200), RateLimited),
        (json_reply({"error": "max usage reached"}, 429), QuotaUsedUp),
        (json_reply({"error": "Unauthorized"}, 401), KeyRefused),
        (text_reply(HTML, 403), KeyRefused),
        (text_reply(HTML, 200), BadPayload),
        (text_reply("Service Unavailable", 503), ServerFailed),
        (text_reply("Not Found", 404), NotFound),
        (Reply(b""), BadPayload),
        (json_reply([]), BadPayload),
        (json_reply({"jsonrpc": "2.0", "id": 1}), BadPayload),
        (
            Reply(b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"\xff"}}'),
            BadPayload,
        ),
        (
            Reply(
                b'{"jsonrpc":"2.0","id":1,"result":'
                + b"[" * 50_000
                + b"]" * 50_000
                + b"}"
            ),
            BadPayload,
        ),
    ],
    ids=reply_id,
)
def test_text_and_html_have_a_meaning_with_any_status(server, reply, kind):
    caught, times = error_of(server, reply)
    assert type(caught) is kind
    assert (times > 1) == kind.retryable


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (429, -32007, "50/second request limit reached", RateLimited),
        (429, -32429, "max usage reached", QuotaUsedUp),
        (503, -32000, "upstream is down", ServerFailed),
        (502, -32600, "bad gateway", ServerFailed),
        (401, -32000, "who are you", KeyRefused),
        (401, -32401, "Unauthorized", KeyRefused),
        (403, -32403, "plan", Unsupported),
        (400, -32602, "Invalid params", BadRequest),
        (404, -32601, "Method not found", Unsupported),
    ],
)
def test_the_status_decides_if_the_code_has_no_meaning(
    server, status, code, message, kind
):
    assert type(error_of(server, error(code, message, status))[0]) is kind


def test_a_rate_limit_in_an_error_object_has_the_named_pause(server):
    server.replies = [error(-32429, "rate limited", 429, retry_after="1000")]
    with pytest.raises(RateLimited) as caught:
        call(server.url)
    assert caught.value.wait_seconds == 1000


def test_a_passing_error_is_retried(server):
    server.replies = [
        error(-32005, "Node is unhealthy"),
        text_reply(HTML, 200),
        json_reply({"id": 1, "result": 7}),
    ]
    assert call(server.url) == b"7"


def test_a_null_result_is_a_result(server):
    server.replies = [json_reply({"jsonrpc": "2.0", "id": 1, "result": None})]
    assert call(server.url) == b"null"


def test_a_null_error_beside_a_result_is_no_error(server):
    server.replies = [
        json_reply({"jsonrpc": "2.0", "id": 1, "result": [1], "error": None})
    ]
    assert call(server.url) == b"[1]"


def test_words_from_the_chain_are_not_read_as_a_rate_limit(server):
    memo = '[{"memo":"too many requests, max usage reached","signature":"s"'
    server.replies = [
        Reply(b'{"jsonrpc":"2.0","result":' + memo.encode()),
        json_reply({"id": 1, "result": 7}),
    ]
    assert call(server.url) == b"7"
