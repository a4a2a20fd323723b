"""A local server for each test, and a simulated market shared by those that need a chain."""

import socket
from collections.abc import Iterator

import pytest
from local_server import LocalServer, serving

from discovery.providers import http
from simmarket import worlds
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, running
from simmarket.chain.world import World


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are a pause for the provider, not for the tests."""
    monkeypatch.setattr(http, "FIRST_BACKOFF_SECONDS", 0.0005)


@pytest.fixture(scope="session")
def one_server() -> Iterator[LocalServer]:
    with serving() as local:
        yield local


@pytest.fixture
def server(one_server: LocalServer) -> LocalServer:
    """The local server, as if nobody had asked it anything."""
    one_server.begin()
    return one_server


@pytest.fixture(scope="session")
def chain_world() -> World:
    return worlds.build("small", 7)


@pytest.fixture(scope="session")
def chain(chain_world: World) -> Iterator[RunningServer]:
    """World small behind every provider's wire."""
    with running(chain_world, options=Options(calls_per_second=100_000)) as running_server:
        yield running_server


@pytest.fixture
def unused_url() -> Iterator[str]:
    """An address on which nobody listens: the port is held, so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stays away is given up after seconds, not after the deadline of a minute."""
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 6)
