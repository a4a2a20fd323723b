"""The server: routes each path prefix to its provider and runs until it is stopped."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simmarket.api.clock import Clock, RealClock
from simmarket.api.connections import Connection
from simmarket.api.control import Control
from simmarket.api.http_messages import Request, Response, json_response
from simmarket.api.market import Market, Options
from simmarket.api.routes import rest_routes
from simmarket.api.rpc_endpoint import RpcEndpoint
from simmarket.chain.world import World

_ADDRESSES_AT_ONCE = 20
_PAUSE_SECONDS = 0.025
ReadyCallback = Callable[["RunningServer"], None]


class Router:
    """Finds the provider of a request by the first part of its path."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._handlers: dict[str, Callable[[Request], Response]] = {
            "rpc": RpcEndpoint(market, "rpc").handle,
            "helius": RpcEndpoint(market, "helius").handle,
            "__sim__": Control(market).handle,
            **rest_routes(market),
        }

    def handle(self, request: Request) -> Response:
        """Return the response to one request."""
        self.market.advance()
        prefix, _, rest = request.path[1:].partition("/")
        handler = self._handlers.get(prefix)
        if handler is None:
            self.market.stats.add_unhandled(
                "market", f"{request.method} {request.path}"
            )
            return json_response({"error": f"no provider under /{prefix}"}, 404)
        path = f"/{rest}" if rest else ""
        return handler(
            Request(request.method, path, request.query, request.headers, request.body)
        )


@dataclass
class RunningServer:
    """A server that listens; `stop` may be called from any thread."""

    host: str
    port: int
    market: Market
    _loop: asyncio.AbstractEventLoop
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Base address without a trailing slash."""
        return f"http://{self.host}:{self.port}"

    def stop(self) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def wait(self) -> None:
        """Return when the server is stopped."""
        await self._stopped.wait()


def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    options: Options | None = None,
    clock: Clock | None = None,
    on_ready: ReadyCallback | None = None,
) -> None:
    """Serve a world until SIGTERM or SIGINT (in the main thread) or until
    `RunningServer.stop`. clock: real time without one.

    Raises OSError if the address cannot be bound.
    """
    market = Market(world, options or Options(), clock or RealClock())
    asyncio.run(_serve(market, host, port, on_ready))


@contextmanager
def running(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    options: Options | None = None,
    clock: Clock | None = None,
) -> Iterator[RunningServer]:
    """Run a server in a thread and stop it at the end of the block."""
    is_ready = threading.Event()
    servers: list[RunningServer] = []
    errors: list[OSError] = []

    def announce(server: RunningServer) -> None:
        servers.append(server)
        is_ready.set()

    def work() -> None:
        try:
            serve(
                world,
                host=host,
                port=port,
                options=options,
                clock=clock,
                on_ready=announce,
            )
        except OSError as error:
            errors.append(error)
        finally:
            is_ready.set()

    thread = threading.Thread(target=work, name="simmarket", daemon=True)
    thread.start()
    is_ready.wait()
    if not servers:
        if errors:
            raise errors[0]
        raise RuntimeError("the market ended before it listened")
    try:
        yield servers[0]
    finally:
        servers[0].stop()
        thread.join()


async def _serve(
    market: Market, host: str, port: int, on_ready: ReadyCallback | None
) -> None:
    loop = asyncio.get_running_loop()
    router = Router(market)
    connections: set[Connection] = set()
    listener = await loop.create_server(
        lambda: Connection(router.handle, connections), host, port, backlog=512
    )
    actual_port = listener.sockets[0].getsockname()[1]
    server = RunningServer(host, actual_port, market, loop)
    if threading.current_thread() is threading.main_thread():
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, server.stop)
    derivation = asyncio.ensure_future(_derive_addresses(market.world))
    if on_ready is not None:
        on_ready(server)
    try:
        await server.wait()
    finally:
        derivation.cancel()
        listener.close()
        for connection in list(connections):
            connection.close()
        await listener.wait_closed()


async def _derive_addresses(world: World) -> None:
    """Derive the pending token account addresses in the background, a few at a time."""
    for _ in range(len(world.accounts) // _ADDRESSES_AT_ONCE + 1):
        if not world.accounts.derive_pending(_ADDRESSES_AT_ONCE):
            return
        await asyncio.sleep(_PAUSE_SECONDS)
