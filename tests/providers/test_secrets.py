"""The key in a question's query shows nowhere."""

import logging
import threading
import traceback

import pytest
from local_server import Line, Reply, of, talk, text

from discovery.providers import http
from discovery.providers.errors import ProviderError
from discovery.providers.jsonrpc import JsonRpc

KEY = "k3y-of-the-operator"
FAILURES = {
    "cut": Reply(b'{"a":', cut=True),
    "cut_json": Reply(b'{"a":'),
    "429": text("too many", 429),
    "500": text("oops", 500),
    "401": text("who", 401),
    "404": text("where", 404),
    "redirect": Reply(b"", 302, {"Location": f"http://127.0.0.1:1/?api-key={KEY}"}),
    "garbled_gzip": Reply(b"zzz", headers={"Content-Encoding": "gzip"}),
    "odd_header": Reply(b"[]", headers={"Set-Cookie": "a b=c; =;", "Content-Length": "nonsense"}),
    "echoed": Reply(f'{{"error":{{"code":-32000,"message":"bad url /?api-key={KEY}"}}}}'.encode(), 400),
}


def fail(url):
    def work(door):
        return JsonRpc(door).ask("getSlot", [])

    with pytest.raises(ProviderError) as caught:
        talk(url, work, secret_params={"api-key": KEY}, line=Line())
    return caught.value


def everything_said(error):
    """Text, repr and traceback of an error and of all that hangs on it, shown or not."""
    said, seen = [], error
    while seen is not None:
        said += [str(seen), repr(seen), *traceback.format_exception(seen)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(said)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_does_not_show_the_key(server, caplog, kind):
    caplog.set_level(logging.DEBUG)
    server.replies = [FAILURES[kind]]
    error = fail(server.url)
    assert f"api-key={KEY}" in server.asked[0].path
    assert KEY not in everything_said(error)
    assert KEY not in "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


def test_no_server_does_not_show_the_key(unused_url, caplog):
    caplog.set_level(logging.DEBUG)
    assert KEY not in everything_said(fail(unused_url)) + caplog.text


def test_silence_does_not_show_the_key(server, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http, "READ_SECONDS", 0.03)
    released = threading.Event()
    server.replies = [Reply(wait=released)]
    try:
        assert KEY not in everything_said(fail(server.url)) + caplog.text
    finally:
        released.set()


def test_an_address_that_is_none_does_not_show_the_key(caplog):
    caplog.set_level(logging.DEBUG)
    assert KEY not in everything_said(fail("http://[bad")) + caplog.text


def test_a_door_and_its_answer_do_not_show_the_key(server):
    async def work(door):
        return repr(door), repr(await door.ask()), repr(vars(JsonRpc(door)))

    server.replies = [of([])]
    assert KEY not in "".join(talk(server.url, work, secret_params={"api-key": KEY}))
