"""Results of a wallet by token: the unit of evidence of the score.

All holdings of a token are one result, dated by its first purchase, with what is still
held at the value that it would bring. A token is known, unknown (with the reason), or
no evidence at all: too young, too small, a seed. Formulae: docs/scores.md.

Ratios are statistics and so floats; lamports and units are integers until they are
divided.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.analysis.follower import (
    MIN_ADD,
    Copied,
    CopiedEvent,
    FollowTerms,
    follower_returns,
)
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.domain.histories import TokenEvent, TradingHistory
from discovery.domain.judgements import Exclusion, Unknown

YOUNG_SECONDS: Final = 7 * SECONDS_PER_DAY
"""A token that was first bought later than this before `as_of` does not count: its
winners are sold sooner than its losers.
"""
HALF_LIFE_DAYS: Final = 60
DUST_LAMPORTS: Final = 10_000_000
"""A token with less put in is no trade."""
MEANINGFUL_DIVISOR: Final = 100
"""A purchase or sale of a hundredth of all put in so far shows that the wallet still
trades the token.
"""
MAX_UNSEEN_DIVISOR: Final = 50
"""A sale of up to a fiftieth more than was held is a rounding of the token."""
SLACK: Final = 0.05
"""Share of the bought units that may be unreadable, or held at an unknown value."""
_NEGLIGIBLE_SHARE: Final = 0.001


class TokenResult(msgspec.Struct, frozen=True):
    """All that a wallet did in one token.

    weight: halves every 60 days of age. leader_return: (proceeds + bag) ÷ put in - 1,
    None if it is not known; then `unknown` says why. follower_returns: by level of
    seeing (`follower.LEVEL_NAMES`), empty if not known. exclusion: None if the token is
    evidence.
    """

    mint: str
    entry_at: int  # unix seconds
    weight: float
    put_in_lamports: int
    proceeds_lamports: float
    bag_lamports: float
    leader_return: float | None
    follower_returns: tuple[float, ...] = ()
    unknown: Unknown | None = None
    exclusion: Exclusion | None = None

    @property
    def level(self) -> int:
        """The highest level of seeing. Only for a known result."""
        return len(self.follower_returns) - 1


def token_results(history: TradingHistory, terms: FollowTerms) -> list[TokenResult]:
    """Return the results of all tokens that were bought by `history.as_of`, in the order
    of mints. Later events change nothing.
    """
    by_mint: dict[str, list[TokenEvent]] = {}
    for event in history.events:
        if event.time <= history.as_of:
            by_mint.setdefault(event.mint, []).append(event)
    results = []
    for mint in sorted(by_mint):
        events = sorted(by_mint[mint], key=_chain_position)
        result = _token_result(history, events, terms)
        if result is not None:
            results.append(result)
    return results


def followed_trades(events: Iterable[TokenEvent]) -> list[TokenEvent]:
    """Return the purchases and sales of one token that a follower copies, in chain
    order. events: of that token alone.
    """
    leader = _Leader(sorted(events, key=_chain_position))
    return [each.event for each in leader.copied if each.action is not Copied.LOSE]


def whole_value(history: TradingHistory, mint: str, lamports: int) -> int | None:
    """Return what all units of one token are worth that the wallet holds at `as_of`, if
    the bought ones are worth `lamports`; None if it holds no bought ones.
    """
    own = [
        event
        for event in history.events
        if event.mint == mint and event.time <= history.as_of
    ]
    leader = _Leader(sorted(own, key=_chain_position))
    if not leader.bought_units:
        return None
    return round(lamports * leader.held_units / leader.bought_units)


def _chain_position(event: TokenEvent) -> tuple[int, int]:
    return event.slot, event.time


def _token_result(
    history: TradingHistory, events: Sequence[TokenEvent], terms: FollowTerms
) -> TokenResult | None:
    """Return the result of one token, None if it was not bought. events: in chain order,
    those of one slot in the order of the history.
    """
    mint = events[0].mint
    entry_at = next((event.time for event in events if event.kind == "buy"), None)
    if entry_at is None:
        return None
    leader = _Leader(events)
    unit_value = leader.unit_value_lamports(history)
    unknown = leader.unknown
    if unknown is None and unit_value is None:
        unknown = Unknown.UNPRICED_BAG
    bag_lamports = (unit_value or 0.0) * leader.bought_units
    leader_return = None
    returns: tuple[float, ...] = ()
    if unknown is None and leader.put_in_lamports:
        got_lamports = leader.proceeds_lamports + bag_lamports
        leader_return = got_lamports / leader.put_in_lamports - 1
        returns = follower_returns(
            leader_return, leader.copied, unit_value or 0.0, terms
        )
    return TokenResult(
        mint=mint,
        entry_at=entry_at,
        weight=age_weight(history.as_of - entry_at),
        put_in_lamports=leader.put_in_lamports,
        proceeds_lamports=leader.proceeds_lamports,
        bag_lamports=bag_lamports,
        leader_return=leader_return,
        follower_returns=returns,
        unknown=unknown,
        exclusion=_exclusion(history, events, entry_at, leader),
    )


def _exclusion(
    history: TradingHistory,
    events: Sequence[TokenEvent],
    entry_at: int,
    leader: "_Leader",
) -> Exclusion | None:
    """Return why the token is no evidence, None if it is."""
    if events[0].mint in history.seeds:
        return Exclusion.SEED
    if entry_at > history.as_of - YOUNG_SECONDS:
        return Exclusion.YOUNG
    is_cost_known = leader.unknown is not Unknown.NO_PRICE
    if is_cost_known and _paid_lamports(events) < DUST_LAMPORTS:
        return Exclusion.DUST
    if history.truncated and leader.unknown is Unknown.NOT_SEEN:
        return Exclusion.CUT
    return None


def _paid_lamports(events: Iterable[TokenEvent]) -> int:
    """Return what all purchases with a price cost, also those after a sale that could
    not be followed.
    """
    return sum(
        event.value_lamports + event.fees_lamports
        for event in events
        if event.kind == "buy" and event.value_lamports is not None
    )


def age_weight(age_seconds: int) -> float:
    """Return the weight of a result of that age: it halves every 60 days."""
    return float(2.0 ** (-age_seconds / SECONDS_PER_DAY / HALF_LIFE_DAYS))


class _Leader:
    """The wallet's holding of one token by average cost, and what a follower copies.

    bought_share: the part of the held units that was bought; the rest came free. What
    leaves takes the same part of both.
    """

    __slots__ = (
        "_bought_share",
        "_dark_units",
        "_ever_bought_units",
        "_first_value_lamports",
        "_held_units",
        "_is_followed",
        "_last_meaningful_at",
        "_moved_units",
        "copied",
        "proceeds_lamports",
        "put_in_lamports",
        "unknown",
    )

    def __init__(self, events: Iterable[TokenEvent]) -> None:
        self.put_in_lamports = 0
        self.proceeds_lamports = 0.0
        self.copied: list[CopiedEvent] = []
        self.unknown: Unknown | None = None
        self._held_units = 0
        self._bought_share = 0.0
        self._ever_bought_units = 0
        self._moved_units = 0.0  # bought ones that were sent away and may come back
        self._dark_units = 0.0  # bought ones that left at an unknown price
        self._last_meaningful_at = 0
        self._first_value_lamports = 0  # of the purchase that opened the follower's
        self._is_followed = False
        for event in events:
            self.unknown = self._add(event)
            if self.unknown is not None:
                return
        if self._dark_units > SLACK * self._ever_bought_units:
            self.unknown = Unknown.UNPRICED_EXIT

    @property
    def held_units(self) -> int:
        """Units that the wallet holds, bought or free."""
        return self._held_units

    @property
    def bought_units(self) -> float:
        """Held units that were bought."""
        return self._held_units * self._bought_share

    def unit_value_lamports(self, history: TradingHistory) -> float | None:
        """Return what one raw unit that is still held is worth: 0 if next to nothing is
        held, or if nobody traded it for a week. None if it is not known.
        """
        bought = self.bought_units
        if bought <= _NEGLIGIBLE_SHARE * self._ever_bought_units:
            return 0.0
        mint = self.copied[0].event.mint
        value_lamports = history.holdings.get(mint)
        if value_lamports is not None:
            return value_lamports / self._held_units
        if bought <= SLACK * self._ever_bought_units:
            return 0.0
        is_dead = history.as_of - self._last_meaningful_at > YOUNG_SECONDS
        if is_dead and mint not in history.unread:
            return 0.0
        return None

    def _add(self, event: TokenEvent) -> Unknown | None:
        """Apply the next event. Returns why the result cannot be known any more."""
        match event.kind:
            case "buy":
                return self._buy(event)
            case "sell" | "disposal":
                return self._sell(event)
            case "transfer_in":
                self._receive(event.units)
            case "transfer_out":
                bought = self.bought_units
                share = self._take(event.units)
                self._moved_units += bought * share
                self._copy(Copied.LOSE, share, event)
            case "burn":
                self._copy(Copied.LOSE, self._take(event.units), event)
        return None

    def _buy(self, event: TokenEvent) -> Unknown | None:
        if event.value_lamports is None:
            return Unknown.NO_PRICE
        paid_lamports = event.value_lamports + event.fees_lamports
        self.put_in_lamports += paid_lamports
        self._note_trade(event.time, paid_lamports)
        self._follow(event, event.value_lamports)
        bought = self.bought_units + event.units
        self._ever_bought_units += event.units
        self._hold(event.units, bought)
        return None

    def _follow(self, event: TokenEvent, value_lamports: int) -> None:
        """Copy a purchase: with the whole stake if it opens a holding, else in the
        proportion of the wallet's purchases.
        """
        if not self._held_units or not self._is_followed:
            self._first_value_lamports = value_lamports
            self._is_followed = True
            self._copy(Copied.BUY, 1.0, event)
            return
        share = 1.0
        if value_lamports < self._first_value_lamports:
            share = value_lamports / self._first_value_lamports
        if share >= MIN_ADD:
            self._copy(Copied.BUY, share, event)

    def _sell(self, event: TokenEvent) -> Unknown | None:
        """Sell, or dispose of, units. Without a price nobody knows what they brought."""
        held, bought = self._held_units, self.bought_units
        is_unseen = (event.units - held) * MAX_UNSEEN_DIVISOR > held
        if is_unseen or not held:
            return Unknown.NOT_SEEN
        share = self._take(event.units)
        self._copy(Copied.SELL, share, event)
        if event.value_lamports is None:
            self._dark_units += bought * share
            return None
        self._note_trade(event.time, event.value_lamports)
        seen_share = min(1.0, held / event.units) if event.units else 1.0
        net_lamports = event.value_lamports - event.fees_lamports
        self.proceeds_lamports += net_lamports * seen_share * (bought / held)
        return None

    def _receive(self, units: int) -> None:
        """Add units that came in: first those that were sent away before, which were
        bought, then units that came free.
        """
        returning = min(float(units), self._moved_units)
        self._moved_units -= returning
        self._hold(units, self.bought_units + returning)

    def _hold(self, more_units: int, bought_units: float) -> None:
        self._held_units += more_units
        if self._held_units:
            self._bought_share = bought_units / self._held_units

    def _take(self, units: int) -> float:
        """Remove units, at most all. Returns which part of the held units they were."""
        held = self._held_units
        if units >= held:
            self._held_units = 0
            return 1.0
        self._held_units = held - units
        return units / held

    def _copy(self, action: Copied, share: float, event: TokenEvent) -> None:
        self.copied.append(CopiedEvent(action, share, event))
        if action is not Copied.BUY and share == 1:
            self._is_followed = False

    def _note_trade(self, time: int, lamports: int) -> None:
        if lamports * MEANINGFUL_DIVISOR >= self.put_in_lamports:
            self._last_meaningful_at = time
