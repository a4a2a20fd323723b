"""A broker that can be killed, and a gate before the market that can be shut."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from signal import Signals
from urllib.parse import urlsplit

import redis

from walltrack.embedded.programs import installed_programs
from walltrack.processes import Child, ManagedChild, StopStep, end, spawn, until


class Broker:
    """A Valkey of our own that keeps nothing on disk; its port stays its own over
    restarts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: Child | None = None

    def start(self) -> None:
        """Empty, until it answers."""
        program = installed_programs().valkey
        settings = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
        }
        words = [
            word for name, value in settings.items() for word in (f"--{name}", value)
        ]
        self._process = spawn(
            [program, *words], env={}, log=self._folder / "valkey.log", cwd=self._folder
        )
        assert until(self._answers, 10), (self._folder / "valkey.log").read_text()
        assert self.keys() == 0

    def kill(self) -> None:
        """SIGKILL: what it held is gone."""
        if self._process is not None:
            end([ManagedChild(self._process, [StopStep(Signals.SIGKILL, 5)])])

    def keys(self) -> int:
        """How many keys it holds."""
        with contextlib.closing(redis.Redis.from_url(self.url)) as client:
            return int(client.dbsize())

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return self.keys() >= 0
        return False


class Gate:
    """Passes connections on to a server; shut, it cuts them and the kernel refuses new
    ones.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._port = 0
        self._passing: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gate")
        self._thread.start()
        self.open()

    @property
    def url(self) -> str:
        """Where it listens while it is open."""
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Connections are passed on."""
        self._do(self._open())

    def shut(self) -> None:
        """Connections are refused."""
        self._do(self._shut())

    def close(self) -> None:
        """For good."""
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        self._server.close()
        passing = list(self._passing)
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        links = [writer]
        try:
            their_reader, their_writer = await asyncio.open_connection(*self._target)
            links.append(their_writer)
            await asyncio.gather(
                _copy(reader, their_writer), _copy(their_reader, writer)
            )
        finally:
            self._passing.discard(task)
            for link in links:
                link.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
