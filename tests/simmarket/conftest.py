"""A small world and its server, made once; a plain HTTP client without retries."""

import http.client
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, running
from simmarket.chain.world import World

REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "realdata"


class Client:
    """One keep-alive connection to a market."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=10)

    def close(self) -> None:
        self._connection.close()

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None):
        """(status, headers, body bytes)."""
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self._connection.request(method, path, payload, headers or {})
        answer = self._connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def get(self, path: str) -> Any:
        return json.loads(self.raw("GET", path)[2])

    def envelope(self, method: str, *params: Any, path: str = "/rpc") -> Any:
        return json.loads(
            self.raw("POST", path, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})[2]
        )

    def rpc(self, method: str, *params: Any, path: str = "/rpc") -> Any:
        answer = self.envelope(method, *params, path=path)
        assert "error" not in answer, answer
        return answer["result"]

    def fault(self, **fields: Any) -> None:
        status, _, body = self.raw("POST", "/__sim__/faults", fields)
        assert status == 200, body

    def stats(self) -> Any:
        return self.get("/__sim__/stats")


@pytest.fixture(scope="session")
def small_world() -> World:
    return worlds.build("small", 7)


@pytest.fixture(scope="session")
def seeded_world(small_world: World) -> Callable[[int], World]:
    """World `small` by seed, each built once."""
    return cache(lambda seed: small_world if seed == small_world.seed else worlds.build("small", seed))


@pytest.fixture(scope="session")
def small_server(small_world: World) -> Iterator[RunningServer]:
    with running(small_world, options=Options(calls_per_second=100_000)) as server:
        yield server


@pytest.fixture
def market(small_server: RunningServer) -> Iterator[Client]:
    """A client of the shared market; faults are cleared after the test."""
    client = Client(small_server)
    yield client
    client.raw("DELETE", "/__sim__/faults")
    client.close()


@pytest.fixture
def fresh(small_world: World):
    """Starts a market of its own: fresh(Options(...)) or fresh(Options(...), world)."""
    closing = []

    def start(options: Options, world: World | None = None) -> Client:
        context = running(world or small_world, options=options)
        client = Client(context.__enter__())
        closing.append((context, client))
        return client

    yield start
    for context, client in closing:
        client.close()
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("captured payloads (../shared/realdata) are not on this machine")
    return REAL_DATA


@pytest.fixture(scope="session")
def trades_world(real_data: Path) -> World:
    return worlds.from_trades(real_data / "trades" / "pump_launch_first_300s.csv")
