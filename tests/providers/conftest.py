"""A local server for each test, and a simulated market for the tests that need a chain."""

import socket
from collections.abc import Iterator

import pytest

from discovery.providers import http
from simmarket import worlds
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, running
from simmarket.chain.world import World
from tests.providers.local_server import LocalServer, serve


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry quickly and few times: a server that stays down fails after seconds, not
    after the deadline of a minute.
    """
    monkeypatch.setattr(http, "FIRST_BACKOFF_SECONDS", 0.0005)
    monkeypatch.setattr(http, "MAX_ATTEMPTS", 6)


@pytest.fixture(scope="session")
def session_server() -> Iterator[LocalServer]:
    with serve() as local:
        yield local


@pytest.fixture
def server(session_server: LocalServer) -> LocalServer:
    """The local server without any request yet."""
    session_server.reset()
    return session_server


@pytest.fixture(scope="session")
def chain_world() -> World:
    return worlds.build("small", 7)


@pytest.fixture(scope="session")
def chain(chain_world: World) -> Iterator[RunningServer]:
    """World small behind the APIs of all providers."""
    with running(
        chain_world, options=Options(calls_per_second=100_000)
    ) as running_server:
        yield running_server


@pytest.fixture
def unused_url() -> Iterator[str]:
    """A URL without a listener: the port is held, so that no other process takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
