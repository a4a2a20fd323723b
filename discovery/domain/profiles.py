"""Cycles, figures and profile of a wallet, with units and sample sizes."""

from decimal import Decimal
from typing import Literal

import msgspec

from discovery.domain.findings import Knowledge
from discovery.domain.times import UnixSeconds
from discovery.domain.units import Lamports

CycleResult = Literal["win", "loss", "even", "open", "unknown"]
CloseReason = Literal["closed", "dead bag", "left wallet", "open"]
ExclusionReason = Literal["", "open", "unknown"]
"""Reason why statistics leave a cycle out; "" = they count it."""


class Cycle(msgspec.Struct, frozen=True):
    """One holding of a token from flat to flat, that is at most 1 % of its peak.
    Statistics count cycles.

    Times in unix seconds; amounts in lamports, rounded half-even once from exact
    fractions.
    """

    mint: str
    number: int  # 1 = the wallet's first holding of this token
    opened_at: int
    closed_at: int | None  # time when it became flat
    last_trade_at: int
    first_signature: str
    result: CycleResult
    close_reason: CloseReason
    resolved_at: int | None  # time of its result; None while open
    put_in_lamports: int  # cost basis, fees of the buys included
    matched_lamports: int  # proceeds of units with a known cost, net of fees
    net_lamports: (
        int | None
    )  # resolved: matched - put in; open: matched - (put in - basis left); None = unknown
    fees_lamports: int  # network fees, tips and platform fees of its buys and sales
    unmatched_lamports: (
        int  # proceeds of units without a known cost; they never count as profit
    )
    sold_lamports: (
        int  # value of all sales before fees; a sale without a price counts at its cost
    )
    covered_lamports: int  # the part of `sold_lamports` from units with a known cost
    basis_left_lamports: int  # cost of the units still held
    liquidation_value_lamports: (
        int | None
    )  # of the units with a known cost; None = unknown
    held_units: int
    buys: int
    sells: int
    hold_seconds: (
        int | None
    )  # from buy to sale, weighted by cost; None if nothing with a cost was sold
    history_incomplete: bool
    reconciled: bool  # False: the balance on the chain does not follow from the events
    exclusion_reason: ExclusionReason
    knowledge: Knowledge
    unknown_reason: str  # why the result is unknown, "" unless it is
    known_share: (
        Decimal | None
    )  # of the units, four places; None: stored by an earlier version

    @property
    def is_counted(self) -> bool:
        """True if statistics count the cycle: it is resolved and its result is known."""
        return not self.exclusion_reason

    @property
    def known_net_lamports(self) -> int:
        """The net of a cycle whose result is known. Raises ValueError for another."""
        if self.net_lamports is None:
            raise ValueError(
                f"the result of cycle {self.number} in {self.mint} is unknown"
            )
        return self.net_lamports

    @property
    def ended_at(self) -> int:
        """Time of its result in unix seconds; that of the last trade while it is open."""
        if self.resolved_at is None:
            return self.last_trade_at
        return self.resolved_at


class Ratio(msgspec.Struct, frozen=True):
    """`hits` of `n` with the two-sided 90 % Wilson interval, four places. The rates are
    None if n = 0.
    """

    hits: int
    n: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


class OutflowSum(msgspec.Struct, frozen=True):
    """Outflows of one category: their number, and the cost of their units."""

    category: str  # sale, unpriced_sale, or the reason of a balance change
    count: int
    cost_lamports: Lamports


class Figures(msgspec.Struct, frozen=True):
    """Figures of a sample of cycles. Amounts in lamports; ratios as decimals (0.25 = 25
    %), four places.

    None = this sample does not define the figure (nothing sold, nothing lost, no
    price).
    """

    cycles: int
    open: int
    counted: int  # resolved cycles that statistics count
    tokens: int  # distinct tokens among them
    wins: int
    losses: int
    evens: int
    win_rate: Ratio  # wins of wins + losses, by cycle
    rolling_win_rate: Ratio  # the same over the last 20 wins and losses
    consecutive_losses: int  # at the end of the record
    longest_losing_streak: int
    realised_lamports: Lamports  # before overhead
    net_lamports: Lamports  # realised - overhead
    net_usd: (
        Decimal | None
    )  # SOL result of each cycle at the SOL price of its end, two places
    net_without_best_lamports: Lamports  # net without the gain of the best token
    unmatched_lamports: Lamports
    low_lamports: (
        Lamports  # net if units without a known cost had cost what they brought
    )
    high_lamports: Lamports  # net if they had cost nothing
    unrealised_lamports: (
        Lamports | None
    )  # liquidation value - basis of open cycles; None if a value is unknown
    open_without_exit: int  # open cycles whose liquidation value is unknown
    coverage: (
        Decimal | None
    )  # sold value of units with a known cost ÷ sold value of all units
    unreconciled_tokens: int
    roi: Decimal | None  # net of counted cycles ÷ their basis
    expectancy_lamports: Lamports | None  # mean net of a counted cycle
    per_trade_lamports: Lamports | None  # realised ÷ buys and sales
    profit_factor: (
        Decimal | None
    )  # (gains + s) ÷ (losses + s), s = median position, at most 10
    payoff: Decimal | None  # average win ÷ average loss
    fees_lamports: Lamports
    fee_drag: (
        Decimal | None
    )  # fees of counted cycles ÷ gains before fees of those that gained
    hold_n: int
    mean_hold_seconds: int | None
    median_hold_seconds: int | None
    p10_hold_seconds: int | None
    average_position_sol: Decimal | None
    median_position_sol: Decimal | None
    drawdown_lamports: Lamports  # largest fall of cumulative net
    drawdown_share: Decimal | None  # drawdown ÷ largest basis at work at one time
    concentration: (
        Decimal | None
    )  # Herfindahl index of gains by token; 1 = a single token
    effective_tokens: Decimal | None  # 1 ÷ concentration
    top_share: Decimal | None  # the best token's share of all gains
    unknown: int = 0  # cycles whose result is not known: their net is in no figure


class Profile(msgspec.Struct, frozen=True):
    """Results and habits of a wallet. `scored` leaves the seed tokens out, `all`
    includes them.
    """

    scored: Figures
    all: Figures
    seeds: tuple[str, ...]  # seed tokens in the wallet's history
    first_trade_at: UnixSeconds | None  # unix seconds
    last_trade_at: UnixSeconds | None
    active_days: int  # UTC days with a swap
    swaps: int  # transactions with a buy or a sale
    swaps_per_day: Decimal | None  # swaps ÷ active days, two places
    overhead_lamports: Lamports  # fees of failed transactions
    truncated: bool  # too active: the wallet has more transactions than were read
    hours: tuple[int, ...]  # swaps by hour of the day, UTC, 24 counts
    timing_percentile: (
        Decimal | None
    )  # mean place among a token's early buyers, 0 = first, 100 = last; two places
    timing_n: int
    outflows: tuple[OutflowSum, ...] = ()  # of all cycles, largest cost first
    inflows: dict[str, int] = {}  # of units without a known cost: reason → their number
