"""The reserves of a token's markets over time, from transactions that were read."""

from bisect import bisect_right
from collections import defaultdict
from operator import attrgetter
from typing import NamedTuple

from discovery.decode.outcomes import Decoded, Outcome
from discovery.domain.histories import PoolReserves
from discovery.pipeline.chain_position import ChainPosition


class _State(NamedTuple):
    position: ChainPosition
    block_time: int
    reserves: PoolReserves


class MarketStates:
    """Reserves after the transactions that show them, by market."""

    def __init__(self, mint: str) -> None:
        self._mint = mint
        self._states: dict[str, list[_State]] = defaultdict(list)

    def add(self, outcome: Outcome, position: ChainPosition, block_time: int) -> None:
        """Add a transaction, each once."""
        if not isinstance(outcome, Decoded):
            return
        for trade in outcome.trades:
            reserves = trade.reserves_after
            if trade.mint == self._mint and trade.pool and reserves is not None:
                state = _State(position, block_time, reserves)
                self._states[trade.pool].append(state)

    def sort(self) -> None:
        """Bring the states into chain order. Called after the last transaction."""
        for states in self._states.values():
            states.sort(key=attrgetter("position"))

    def at(self, market: str, slot: int, until: int) -> PoolReserves | None:
        """Return the last reserves from a slot until unix second `until`, inclusive;
        None if none are known.
        """
        states = self._states.get(market, [])
        index = bisect_right(states, until, key=attrgetter("block_time"))
        if not index or states[index - 1].position.slot < slot:
            return None
        return states[index - 1].reserves
