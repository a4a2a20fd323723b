"""The key in the query of a request appears nowhere else."""

import logging
import threading
import traceback

import pytest

from discovery.providers import http
from discovery.providers.errors import ProviderError
from discovery.providers.jsonrpc import JsonRpc
from tests.providers.local_server import (
    ClientSetup,
    Reply,
    json_reply,
    run_client,
    text_reply,
)

KEY = "k3y-of-the-operator"
FAILURES = {
    "cut": Reply(b'{"a":', cut=True),
    "cut_json": Reply(b'{"a":'),
    "429": text_reply("too many", 429),
    "500": text_reply("oops", 500),
    "401": text_reply("who", 401),
    "404": text_reply("where", 404),
    "redirect": Reply(b"", 302, {"Location": f"http://127.0.0.1:1/?api-key={KEY}"}),
    "garbled_gzip": Reply(b"zzz", headers={"Content-Encoding": "gzip"}),
    "odd_header": Reply(
        b"[]", headers={"Set-Cookie": "a b=c; =;", "Content-Length": "nonsense"}
    ),
    "echoed": Reply(
        f'{{"error":{{"code":-32000,"message":"bad url /?api-key={KEY}"}}}}'.encode(),
        400,
    ),
}


def fail(url):
    def work(client):
        return JsonRpc(client).call("getSlot", [])

    with pytest.raises(ProviderError) as caught:
        run_client(url, work, secret_params={"api-key": KEY}, setup=ClientSetup())
    return caught.value


def all_text_of(error):
    """Return text, repr and traceback of an error and of its causes and contexts,
    suppressed ones too.
    """
    parts = []
    while error is not None:
        parts += [str(error), repr(error), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_does_not_show_the_key(server, caplog, kind):
    caplog.set_level(logging.DEBUG)
    server.replies = [FAILURES[kind]]
    error = fail(server.url)
    assert f"api-key={KEY}" in server.requests[0].path
    assert KEY not in all_text_of(error)
    assert KEY not in "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records
    )


def test_an_unreachable_server_does_not_show_the_key(unused_url, caplog):
    caplog.set_level(logging.DEBUG)
    assert KEY not in all_text_of(fail(unused_url)) + caplog.text


def test_silence_does_not_show_the_key(server, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http, "READ_SECONDS", 0.03)
    released = threading.Event()
    server.replies = [Reply(wait=released)]
    try:
        assert KEY not in all_text_of(fail(server.url)) + caplog.text
    finally:
        released.set()


def test_an_invalid_url_does_not_show_the_key(caplog):
    caplog.set_level(logging.DEBUG)
    assert KEY not in all_text_of(fail("http://[bad")) + caplog.text


def test_a_client_and_its_response_do_not_show_the_key(server):
    async def work(client):
        return repr(client), repr(await client.request()), repr(vars(JsonRpc(client)))

    server.replies = [json_reply([])]
    assert KEY not in "".join(
        run_client(server.url, work, secret_params={"api-key": KEY})
    )
