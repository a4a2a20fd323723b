"""A small HTTP server whose replies a test decides, and the setup to call it through
the product's client.
"""

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

from discovery.clients.usage import UsageMeter
from discovery.providers.http import ProviderClient
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.limits import LocalRateLimitStore, RateLimiter
from discovery.providers.solana_rpc import SolanaRpc

Result = TypeVar("Result")


@dataclass
class Request:
    """A request that arrived. `json` is the decoded body of a POST."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any = None


@dataclass
class Reply:
    """One reply. `cut`: the connection ends before the body does. `wait`: nothing, or
    the rest, until it is set.
    """

    body: bytes = b"[]"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: threading.Event | None = None
    trickle: bool = False


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return a JSON reply; `retry_after="1"` becomes `Retry-After: 1`."""
    return Reply(json.dumps(value).encode(), status, _header_names(headers))


def text_reply(words: str, status: int, **headers: str) -> Reply:
    """Return a reply that is not JSON."""
    return Reply(words.encode(), status, _header_names(headers))


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def reply_id(value: Any) -> str:
    """Return a short id of a test's parameter."""
    if isinstance(value, Reply):
        return f"{value.status} {value.body[:40]!r}"
    return getattr(value, "__name__", str(value))


class LocalServer:
    """Sends `replies` in turn, the last of them for ever; or what `answer(request)`
    returns.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._lock = threading.Lock()
        self._test_count = 0
        self.reset()

    def reset(self) -> None:
        """Start a new test with a path of its own, which excludes late requests of the
        last test.
        """
        self._test_count += 1
        self.url = f"{self._base_url}/{self._test_count}"
        self.requests: list[Request] = []
        self.replies: list[Reply] = [Reply()]
        self.answer: Callable[[Request], Reply] = self._next_reply

    def _next_reply(self, _: Request) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def receive(self, request: Request) -> Reply:
        """Record a request and return its reply, one at a time."""
        prefix = f"/{self._test_count}"
        with self._lock:
            if (
                not request.path.startswith((f"{prefix}/", f"{prefix}?"))
                and request.path != prefix
            ):
                return Reply(status=410)
            request.path = request.path.removeprefix(prefix)
            self.requests.append(request)
            return self.answer(request)

    def serve_rpc(self, methods: dict[str, Callable[..., Any]]) -> None:
        """Answer JSON-RPC, batches too; a method returns its result, or raises
        RpcFault.
        """

        def one(call: dict[str, Any]) -> dict[str, Any]:
            head = {"jsonrpc": "2.0", "id": call["id"]}
            try:
                return {**head, "result": methods[call["method"]](*call["params"])}
            except RpcFault as fault:
                return {**head, "error": {"code": fault.code, "message": fault.message}}

        def answer(request: Request) -> Reply:
            calls = request.json
            return json_reply(
                [one(call) for call in calls] if isinstance(calls, list) else one(calls)
            )

        self.answer = answer

    def methods(self) -> list[str]:
        """Return the names of the called JSON-RPC methods, each item of a batch as
        `[name]`.
        """
        names: list[str] = []
        for request in self.requests:
            calls = request.json
            names += (
                [f"[{call['method']}]" for call in calls]
                if isinstance(calls, list)
                else [calls["method"]]
            )
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
        request = Request(
            self.command,
            self.path,
            dict(self.headers),
            json.loads(body) if body else None,
        )
        reply = self.server.local.receive(request)
        if reply.wait is not None and not reply.trickle:
            reply.wait.wait(10)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers:
            self.send_header(
                "Content-Length",
                str(10_000 if reply.trickle else len(reply.body) + reply.cut),
            )
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

    do_GET = do_POST = _any  # noqa: N815  names that http.server prescribes

    def log_message(self, *_: Any) -> None:
        """Log nothing: the test reads `requests`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    local: LocalServer

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect: some tests are about that."""


@contextmanager
def serve() -> Iterator[LocalServer]:
    """Serve on a free port of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        local = server.local = LocalServer(
            f"http://127.0.0.1:{server.server_address[1]}"
        )
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}
        )
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
class ClientSetup:
    """The meter that counts a client's requests, and the time of its rate limiter."""

    meter: UsageMeter = field(default_factory=UsageMeter)
    time: FakeTime = field(default_factory=FakeTime)
    calls_per_second: float = 1000

    def client(
        self,
        session: aiohttp.ClientSession,
        url: str,
        provider: str = "testing",
        **options: Any,
    ) -> ProviderClient:
        """Return a client whose rate limit costs no real time."""
        store = LocalRateLimitStore(self.time.clock)
        limiter = RateLimiter(provider, self.calls_per_second, store, self.time.sleep)
        return ProviderClient(
            provider,
            url,
            session=session,
            rate_limiter=limiter,
            meter=self.meter,
            **options,
        )


def run_client(
    url: str,
    work: Callable[[ProviderClient], Awaitable[Result]],
    *,
    setup: ClientSetup | None = None,
    **options: Any,
) -> Result:
    """Run `work` with a client of the server at `url`."""

    async def main() -> Result:
        async with aiohttp.ClientSession() as session:
            return await work((setup or ClientSetup()).client(session, url, **options))

    return asyncio.run(main())


def run_rpc(
    url: str,
    work: Callable[[SolanaRpc], Awaitable[Result]],
    *,
    setup: ClientSetup | None = None,
    **options: Any,
) -> Result:
    """Run `work` with a Solana node at `url`."""
    return run_client(
        url, lambda client: work(SolanaRpc(JsonRpc(client))), setup=setup, **options
    )
