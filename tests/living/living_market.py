"""A market of world `living` whose time a test moves, and the truth of its world."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simmarket import worlds
from simmarket.chain.world import World
from simmarket.worlds.expected_followers import TokenTruth
from simmarket.worlds.expected_outcomes import Outcomes
from tests.markets import RunningMarket
from tests.markets import market as run_market

SEED = 7
DAY_SECONDS = 86_400
FUTURE_DAYS = 31


@dataclass(frozen=True)
class LivingMarket:
    """A running market whose clock is the file `clock`; the world's present is at
    `origin` (unix seconds).
    """

    running: RunningMarket
    clock: Path
    origin: int

    def advance(self, seconds: int) -> None:
        """Move the time on."""
        request = urllib.request.Request(
            f"{self.running.url}/__sim__/now",
            data=json.dumps({"advance_seconds": seconds}).encode(),
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """No provider answers."""
        for provider in ("helius", "rpc", "dexscreener", "geckoterminal", "jupiter"):
            self.running.fault(provider, "503", count=100_000)
        try:
            yield
        finally:
            self.running.clear_faults()


@contextmanager
def living_market(folder: Path) -> Iterator[LivingMarket]:
    """Serve the world, its present FUTURE_DAYS ago, with a clock that stands still apart
    from what a test moves.
    """
    clock = folder / "clock.json"
    origin = int(time.time()) - FUTURE_DAYS * DAY_SECONDS
    values = {"real": time.time(), "simulated": origin, "speed": 1}
    clock.write_text(json.dumps(values))
    options = ("--world", "living", "--seed", str(SEED), "--clock", str(clock))
    with run_market(*options) as running:
        shift = int(running.stats()["shift_seconds"])
        yield LivingMarket(running, clock, shift)


class Truth:
    """What the world knows about the outcomes of its wallets. shift: unix seconds of the
    world's offset 0.
    """

    def __init__(self, shift: int) -> None:
        self.world: World = worlds.build("living", SEED)
        self._outcomes = Outcomes(self.world)
        self._shift = shift

    def tokens(self, wallet: str, after: int, until: int) -> dict[str, TokenTruth]:
        """Return mint → the truth of what the wallet first bought in (after, until], unix
        seconds.
        """
        outcome = self._outcomes.of(wallet, after - self._shift, until - self._shift)
        return {token.mint: token for token in outcome.tokens}

    def unix_seconds(self, offset_seconds: int) -> int:
        """Return the moment of an offset of the world."""
        return offset_seconds + self._shift
