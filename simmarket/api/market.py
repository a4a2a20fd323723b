"""The running market: a world placed in time, with its counters, limits and faults."""

import time
from dataclasses import dataclass, field

from simmarket.api.clock import Clock, RealClock
from simmarket.api.faults import Faults
from simmarket.api.limits import Limits
from simmarket.api.stats import Stats
from simmarket.chain.playback import Playback
from simmarket.chain.world import World

END_BEFORE_START_SECONDS = 600


@dataclass(slots=True, frozen=True)
class Options:
    """Behaviour of the market: calls per second (None: documented limits), Helius plan,
    batches; quirks of every page of signatures or transactions (page_quirks.py), and how
    many rows it has at most (None: as many as asked for).
    """

    calls_per_second: int | None = 500
    helius: str = "full"  # full | no-gtfa | off
    batches: bool = True
    quirks: tuple[str, ...] = ()
    page_cap: int | None = None


@dataclass(slots=True)
class Market:
    """The state that all providers share.

    A world that ends at offset 0 ended ten minutes before the clock's origin. One that
    continues is at offset 0 then, and `world` is the part of it that has happened.
    """

    world: World
    options: Options
    clock: Clock = field(default_factory=RealClock)
    started_at: float = field(default_factory=time.time)
    stats: Stats = field(default_factory=Stats)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(init=False)
    shift_seconds: int = field(init=False)
    _playback: Playback | None = field(init=False, default=None)
    _now: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        present = int(self.clock.origin)
        if self.world.continues:
            self._playback = Playback(self.world)
            self.world = self._playback.world
        else:
            present -= END_BEFORE_START_SECONDS
        # whole minutes: candles begin at full minutes of real time, and a world knows
        # them only by offset
        self.shift_seconds = present // 60 * 60
        self.limits = Limits(self.options.calls_per_second)
        self.advance()

    def page_limit(self, limit: int) -> int:
        """Return how many rows a page has that is asked for with this limit."""
        cap = self.options.page_cap
        return limit if cap is None else min(limit, cap)

    def advance(self) -> None:
        """Let the world happen up to this moment. Called before each request, which then
        sees one moment only.
        """
        if self._playback is not None:
            self._now = max(self._now, int(self.clock.now()) - self.shift_seconds)
            self._playback.advance_to(self._now)

    def now(self) -> int:
        """Return the offset of this moment in whole seconds."""
        if self._playback is not None:
            return self._now
        return int(self.clock.now()) - self.shift_seconds

    def unix(self, offset_seconds: int) -> int:
        """Return the unix seconds of an offset."""
        return offset_seconds + self.shift_seconds
