"""The server: routes each path prefix to its provider and runs until it is told to stop."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simmarket.api.connections import Connection
from simmarket.api.control import Control
from simmarket.api.http_messages import Request, Response, json_response
from simmarket.api.market import Market, Options
from simmarket.api.routes import rest_doors
from simmarket.api.rpc_endpoint import RpcDoor
from simmarket.chain.world import World

_DERIVE_AT_ONCE = 20
_DERIVE_PAUSE_SECONDS = 0.025


class Router:
    """Finds the provider of a request by the first part of its path."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._doors: dict[str, Callable[[Request], Response]] = {
            "rpc": RpcDoor(market, "rpc").answer,
            "helius": RpcDoor(market, "helius").answer,
            "__sim__": Control(market).answer,
            **rest_doors(market),
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        prefix, _, rest = request.path[1:].partition("/")
        door = self._doors.get(prefix)
        if door is None:
            self.market.stats.not_understood("market", f"{request.method} {request.path}")
            return json_response({"error": f"no provider under /{prefix}"}, 404)
        path = f"/{rest}" if rest else ""
        return door(Request(request.method, path, request.query, request.headers, request.body))


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
        """End the server."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def wait(self) -> None:
        """Return when the server was told to stop."""
        await self._stopped.wait()


def serve(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    options: Options | None = None,
    on_ready: Callable[[RunningServer], None] | None = None,
) -> None:
    """Serve a world until SIGTERM or SIGINT (in the main thread) or until `RunningServer.stop`."""
    asyncio.run(_serve(world, host, port, options or Options(), on_ready))


@contextmanager
def running(
    world: World, *, host: str = "127.0.0.1", port: int = 0, options: Options | None = None
) -> Iterator[RunningServer]:
    """A server in a thread, stopped at the end of the block."""
    ready = threading.Event()
    found: list[RunningServer] = []
    failed: list[OSError] = []

    def announce(server: RunningServer) -> None:
        found.append(server)
        ready.set()

    def work() -> None:
        try:
            serve(world, host=host, port=port, options=options, on_ready=announce)
        except OSError as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="simmarket", daemon=True)
    thread.start()
    ready.wait()
    if not found:
        raise failed[0] if failed else RuntimeError("the market ended before it listened")
    try:
        yield found[0]
    finally:
        found[0].stop()
        thread.join()


async def _serve(
    world: World, host: str, port: int, options: Options, on_ready: Callable[[RunningServer], None] | None
) -> None:
    loop = asyncio.get_running_loop()
    router = Router(Market(world, options))
    connections: set[Connection] = set()
    listener = await loop.create_server(lambda: Connection(router.answer, connections), host, port, backlog=512)
    server = RunningServer(host, listener.sockets[0].getsockname()[1], router.market, loop)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
    deriving = asyncio.ensure_future(_derive_addresses(world))
    if on_ready is not None:
        on_ready(server)
    try:
        await server.wait()
    finally:
        deriving.cancel()
        listener.close()
        for connection in list(connections):
            connection.close()
        await listener.wait_closed()


async def _derive_addresses(world: World) -> None:
    """Derive the postponed token account addresses in the background, a few at a time."""
    for _ in range(len(world.accounts) // _DERIVE_AT_ONCE + 1):
        if not world.accounts.derive_pending(_DERIVE_AT_ONCE):
            return
        await asyncio.sleep(_DERIVE_PAUSE_SECONDS)
