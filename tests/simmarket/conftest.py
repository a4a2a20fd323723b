"""A small world and its server, created once; an HTTP client without retries."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simmarket import worlds
from simmarket.api.clock import Clock
from simmarket.api.market import Options
from simmarket.api.server import RunningServer, running
from simmarket.chain.figures import main_pool
from simmarket.chain.world import World
from simmarket.worlds import expected_results
from tests.simmarket.past import past_tokens

REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "realdata"


class Client:
    """One keep-alive connection to a market."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection(
            server.host, server.port, timeout=10
        )

    def close(self) -> None:
        self._connection.close()

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return (status, headers, body); a `body` that is not bytes is sent as JSON."""
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self._connection.request(method, path, payload, headers or {})
        response = self._connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()

    def get(self, path: str) -> Any:
        _, _, body = self.raw("GET", path)
        return json.loads(body)

    def envelope(self, method: str, *params: Any, path: str = "/rpc") -> Any:
        """Return the whole JSON-RPC response of one call."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        _, _, body = self.raw("POST", path, call)
        return json.loads(body)

    def rpc(self, method: str, *params: Any, path: str = "/rpc") -> Any:
        """Return the result of one call, which must not be an error."""
        envelope = self.envelope(method, *params, path=path)
        assert "error" not in envelope, envelope
        return envelope["result"]

    def fault(self, **fields: Any) -> None:
        """Plan a fault."""
        status, _, body = self.raw("POST", "/__sim__/faults", fields)
        assert status == 200, body

    def clear_faults(self) -> None:
        self.raw("DELETE", "/__sim__/faults")

    def stats(self) -> Any:
        return self.get("/__sim__/stats")


@pytest.fixture(scope="session")
def small_world() -> World:
    return worlds.build("small", 7)


@pytest.fixture(scope="session")
def seeded_world(small_world: World) -> Callable[[int], World]:
    """World `small` by seed, each built once."""
    return cache(
        lambda seed: (
            small_world if seed == small_world.seed else worlds.build("small", seed)
        )
    )


@pytest.fixture(scope="session")
def traders_of_seed() -> Callable[[int], World]:
    """World `traders` by seed, each built once."""
    return cache(lambda seed: worlds.build("traders", seed))


@pytest.fixture(scope="session")
def small_server(small_world: World) -> Iterator[RunningServer]:
    with running(small_world, options=Options(calls_per_second=100_000)) as server:
        yield server


@pytest.fixture
def market(small_server: RunningServer) -> Iterator[Client]:
    """A client of the shared market; faults are cleared after the test."""
    client = Client(small_server)
    yield client
    client.clear_faults()
    client.close()


@pytest.fixture
def start_market(small_world: World) -> Iterator[Callable[..., Client]]:
    """Starts a separate market: start_market(Options(...)), with another world or
    another clock as further arguments.
    """
    with ExitStack() as stack:

        def start(
            options: Options, world: World | None = None, clock: Clock | None = None
        ) -> Client:
            server = stack.enter_context(
                running(world or small_world, options=options, clock=clock)
            )
            return stack.enter_context(closing(Client(server)))

        yield start


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("captured payloads (../shared/realdata) are not on this machine")
    return REAL_DATA


@pytest.fixture
def captured(real_data: Path) -> Callable[..., Any]:
    """Returns a captured payload by its path."""

    def load(*parts: str) -> Any:
        return json.loads(real_data.joinpath("http", *parts).read_text())

    return load


@pytest.fixture(scope="session")
def trades_world(real_data: Path) -> World:
    return worlds.from_trades(real_data / "trades" / "pump_launch_first_300s.csv")


@pytest.fixture
def main_pools(market: Client, small_world: World) -> dict[str, Any]:
    """The main pool and its figures now, by mint."""
    stats = market.stats()
    now = int(stats["now"]) - stats["shift_seconds"]
    return {
        mint: main_pool(small_world, token, now)
        for mint, token in small_world.tokens.items()
    }


@pytest.fixture(scope="session")
def past_cycles(seeded_world: Callable[[int], World]) -> Callable[[int], Any]:
    """Returns the cycles in tokens of the past by wallet for a seed."""

    @cache
    def of_seed(seed: int) -> dict[str, list[Any]]:
        world = seeded_world(seed)
        past = past_tokens(world)
        by_wallet = expected_results.cycles(world)
        return {
            address: [cycle for cycle in rows if cycle.mint in past]
            for address, rows in by_wallet.items()
        }

    return of_seed
