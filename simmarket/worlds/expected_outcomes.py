"""What a wallet gained in the tokens that it first bought within a period, and what
someone gained who followed it, as of the period's end.

Nothing that happens after the period is part of it: units that are left are valued at
the reserves of its end.
"""

from collections import defaultdict
from dataclasses import dataclass

from simmarket.chain.world import BUY, Movement, World
from simmarket.worlds.expected_followers import (
    Fills,
    TokenTruth,
    growth,
    movements_by_wallet_and_mint,
    token_truth,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The tokens of one wallet and period in the order of their first buys; the growths
    are plain means over them, None without a token.
    """

    tokens: list[TokenTruth]

    @property
    def leader_growth(self) -> float | None:
        """The mean growth of the wallet itself."""
        return _mean([growth(token.leader.gain) for token in self.tokens])

    @property
    def behind_growth(self) -> float | None:
        """The mean growth of a follower right behind it."""
        return _mean([growth(token.behind.gain) for token in self.tokens])

    @property
    def late_growth(self) -> float | None:
        """The mean growth of a follower some seconds late."""
        return _mean([growth(token.late.gain) for token in self.tokens])


class Outcomes:
    """Computes outcomes of one world. Raises ValueError if a pool trades against anything
    but SOL.
    """

    def __init__(self, world: World, delay_seconds: int = 15) -> None:
        self._world = world
        self._fills = Fills(world)
        self._delay_seconds = delay_seconds
        self._histories: dict[str, list[list[Movement]]] = defaultdict(list)
        for (wallet, _), movements in movements_by_wallet_and_mint(world).items():
            self._histories[world.accounts.address(wallet)].append(movements)

    def of(self, address: str, after: int, until: int) -> Outcome:
        """Return the outcome of a wallet in the tokens that it bought for the first time
        in (after, until], both in offset seconds. A wallet without trades has no tokens.
        """
        tokens: list[TokenTruth] = []
        for movements in self._histories.get(address, ()):
            first_buy = next(each for each in movements if each.kind == BUY)
            if after < self._offset(first_buy) <= until:
                known = [each for each in movements if self._offset(each) <= until]
                tokens.append(
                    token_truth(self._fills, known, self._delay_seconds, until)
                )
        tokens.sort(key=lambda token: token.first_buy_offset_seconds)
        return Outcome(tokens)

    def _offset(self, movement: Movement) -> int:
        return self._world.transactions[movement.position].offset_seconds


def skill_spans(world: World) -> dict[str, tuple[int, int]]:
    """Return (begin, end) in offset seconds of the skill of each wallet that has or had
    some, by address: on average its followers gain in tokens launched in [begin, end).
    """
    return dict(world.skill_spans)


def is_skilled(world: World, address: str, offset_seconds: int) -> bool:
    """Return True if a wallet has its skill at a moment."""
    span = world.skill_spans.get(address)
    return span is not None and span[0] <= offset_seconds < span[1]


def _mean(values: list[float]) -> float | None:
    if not values:
        return None
    return sum(values) / len(values)
