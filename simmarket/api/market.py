"""The running market: a world placed in time, with its counters, limits and faults."""

import time
from dataclasses import dataclass, field

from simmarket.api.faults import Faults
from simmarket.api.limits import Limits
from simmarket.api.stats import Stats
from simmarket.chain.world import World

END_BEFORE_START_SECONDS = 600


@dataclass(slots=True, frozen=True)
class Options:
    """Behaviour of the market: calls per second (None: documented limits), Helius plan,
    batches.
    """

    calls_per_second: int | None = 500
    helius: str = "full"  # full | no-gtfa | off
    batches: bool = True


@dataclass(slots=True)
class Market:
    """The state that all providers share."""

    world: World
    options: Options
    started_at: float = field(default_factory=time.time)
    stats: Stats = field(default_factory=Stats)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(init=False)
    shift_seconds: int = field(init=False)

    def __post_init__(self) -> None:
        # whole minutes: candles begin at full minutes of real time, and a world knows
        # them only by offset
        self.shift_seconds = (
            (int(self.started_at) - END_BEFORE_START_SECONDS) // 60 * 60
        )
        self.limits = Limits(self.options.calls_per_second)

    def now(self) -> int:
        """Return the offset of this moment in whole seconds."""
        return int(time.time()) - self.shift_seconds

    def unix(self, offset_seconds: int) -> int:
        """Return the unix seconds of an offset."""
        return offset_seconds + self.shift_seconds
