"""A small HTTP server whose answers a test decides, and what a test needs to ask it through the product's door."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import aiohttp

from discovery.clients.usage import RunMeter
from discovery.providers.http import ProviderClient
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.limits import LocalRateLimitStore, RateLimiter
from discovery.providers.solana_rpc import SolanaRpc

Result = TypeVar("Result")


@dataclass
class Request:
    """What arrived. `json` is the decoded body of a POST."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any = None


@dataclass
class Reply:
    """One answer. `cut`: the connection ends before the body does. `wait`: nothing, or the rest, until it is set."""

    body: bytes = b"[]"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: threading.Event | None = None
    trickle: bool = False


def of(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer; `retry_after="1"` becomes `Retry-After: 1`."""
    named = {name.replace("_", "-").title(): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, named)


def text(words: str, status: int, **headers: str) -> Reply:
    """An answer that is no JSON."""
    return Reply(words.encode(), status, {name.replace("_", "-").title(): value for name, value in headers.items()})


def brief(value: Any) -> str:
    """A short name of a test's parameter."""
    return f"{value.status} {value.body[:40]!r}" if isinstance(value, Reply) else getattr(value, "__name__", str(value))


class LocalServer:
    """Answers with `replies` in turn, the last of them for ever; or with what `answer(request)` says."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._lock = threading.Lock()
        self._tests = 0
        self.begin()

    def begin(self) -> None:
        """A new test: nothing asked, under a path of its own, so that latecomers of the last one are told apart."""
        self._tests += 1
        self.url = f"{self._base_url}/{self._tests}"
        self.asked: list[Request] = []
        self.replies: list[Reply] = [Reply()]
        self.answer: Callable[[Request], Reply] = lambda _: (
            self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        )

    def take(self, request: Request) -> Reply:
        """Count a request and decide its answer, one at a time."""
        mine = f"/{self._tests}"
        with self._lock:
            if not request.path.startswith((f"{mine}/", f"{mine}?")) and request.path != mine:
                return Reply(status=410)
            request.path = request.path.removeprefix(mine)
            self.asked.append(request)
            return self.answer(request)

    def rpc(self, methods: dict[str, Callable[..., Any]]) -> None:
        """Answer JSON-RPC, batches too; a method returns its result, or raises RpcFault."""

        def one(call: dict[str, Any]) -> dict[str, Any]:
            head = {"jsonrpc": "2.0", "id": call["id"]}
            try:
                return {**head, "result": methods[call["method"]](*call["params"])}
            except RpcFault as fault:
                return {**head, "error": {"code": fault.code, "message": fault.message}}

        def answer(request: Request) -> Reply:
            calls = request.json
            return of([one(call) for call in calls] if isinstance(calls, list) else one(calls))

        self.answer = answer

    def methods(self) -> list[str]:
        """Names of the JSON-RPC methods asked, each item of a batch as `[name]`."""
        names: list[str] = []
        for request in self.asked:
            calls = request.json
            names += [f"[{call['method']}]" for call in calls] if isinstance(calls, list) else [calls["method"]]
        return names


class RpcFault(Exception):
    """An error object as a JSON-RPC server sends it."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: "_Server"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers), json.loads(body) if body else None)
        reply = self.server.local.take(request)
        if reply.wait is not None and not reply.trickle:
            reply.wait.wait(10)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(10_000 if reply.trickle else len(reply.body) + reply.cut))
        # One write for head and body: two would wait for each other's acknowledgement.
        self._headers_buffer += [b"\r\n", b"" if reply.trickle else reply.body]
        self.flush_headers()
        if reply.trickle and reply.wait is not None:
            while not reply.wait.wait(0.02):
                self.wfile.write(b" ")
            self.close_connection = True
            return
        if reply.cut:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_GET = do_POST = _any  # noqa: N815  the names that http.server asks for

    def log_message(self, *_: Any) -> None:
        """Nothing: the test looks at `asked`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    local: LocalServer

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what some tests are about."""


@contextmanager
def serving() -> Iterator[LocalServer]:
    """A server on a free port of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        local = server.local = LocalServer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield local
        finally:
            server.shutdown()
            thread.join()


class FakeTime:
    """A clock that only sleeping moves, for one task at a time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Line:
    """What a question went through: the meter it was counted on and the time it was paced by."""

    meter: RunMeter = field(default_factory=RunMeter)
    time: FakeTime = field(default_factory=FakeTime)
    calls_per_second: float = 1000

    def door(
        self, session: aiohttp.ClientSession, url: str, provider: str = "testing", **options: Any
    ) -> ProviderClient:
        """A door whose pace costs no real time."""
        store = LocalRateLimitStore(self.time.clock)
        pacer = RateLimiter(provider, self.calls_per_second, store, self.time.sleep)
        return ProviderClient(provider, url, session=session, pacer=pacer, meter=self.meter, **options)


def talk(
    url: str, work: Callable[[ProviderClient], Awaitable[Result]], *, line: Line | None = None, **options: Any
) -> Result:
    """Run `work` with a door to `url`."""

    async def main() -> Result:
        async with aiohttp.ClientSession() as session:
            return await work((line or Line()).door(session, url, **options))

    return asyncio.run(main())


def talk_rpc(
    url: str, work: Callable[[SolanaRpc], Awaitable[Result]], *, line: Line | None = None, **options: Any
) -> Result:
    """Run `work` with a Solana node at `url`."""
    return talk(url, lambda door: work(SolanaRpc(JsonRpc(door))), line=line, **options)
