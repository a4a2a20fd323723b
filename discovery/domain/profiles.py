"""What a wallet's history says of it: cycles, figures, profile and score, with units and sample sizes."""

from decimal import Decimal
from typing import Any, Literal

import msgspec

from discovery.domain.times import UnixSeconds
from discovery.domain.units import Lamports

CycleResult = Literal["win", "loss", "even", "open"]
CloseReason = Literal["closed", "dead bag", "left wallet", "open"]
ExclusionReason = Literal["", "open", "no cost", "price unknown", "coverage"]
"""Why a cycle is not counted in statistics; "" = it is."""


class Cycle(msgspec.Struct, frozen=True):
    """One holding of a token, from flat to flat (at most 1 % of its peak): the unit of every statistic.

    Times in unix seconds; amounts in lamports, rounded half-even once from exact fractions.
    """

    mint: str
    number: int  # 1 = the wallet's first holding of this token
    opened_at: int
    closed_at: int | None  # when it became flat
    last_trade_at: int
    first_signature: str
    result: CycleResult
    close_reason: CloseReason
    resolved_at: int | None  # when its result was settled; None while open
    put_in_lamports: int  # all basis, fees of the buys included
    matched_lamports: int  # proceeds of units with a known cost, net of fees
    net_lamports: int  # resolved: matched - put in; open: matched - (put in - basis left), so far
    fees_lamports: int  # network fees, tips and platform fees of its buys and sales
    unmatched_lamports: int  # proceeds of units without a known cost: never profit
    sold_lamports: int  # value of all sales before fees; a sale without a price counts at the cost of its units
    covered_lamports: int  # the part of `sold_lamports` from units with a known cost
    basis_left_lamports: int  # cost of the units still there
    liquidation_value_lamports: int | None  # what the units with a known cost would bring now; None = unknown
    held_units: int
    buys: int
    sells: int
    hold_seconds: int | None  # from buy to sale, weighted by cost; None where nothing with a cost was sold
    history_incomplete: bool
    reconciled: bool  # False: the token's balance on the chain does not follow from the events
    exclusion_reason: ExclusionReason

    @property
    def is_counted(self) -> bool:
        """Whether the cycle stands in statistics: resolved, with a known cost, and what is known suffices."""
        return not self.exclusion_reason


class Ratio(msgspec.Struct, frozen=True):
    """`hits` of `n` with the two-sided 90 % Wilson interval; figures None where n = 0. Four places."""

    hits: int
    n: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


class Figures(msgspec.Struct, frozen=True):
    """What a sample of cycles comes to. Amounts in lamports; ratios as decimals (0.25 = 25 %), four places.

    None = cannot be said from this sample (nothing sold, nothing lost, no price).
    """

    cycles: int
    open: int
    counted: int  # resolved cycles that statistics use
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
    net_usd: Decimal | None  # the SOL result of each cycle at the SOL price of its end, two places
    net_without_best_lamports: Lamports  # net - what the best token brought
    unmatched_lamports: Lamports
    low_lamports: Lamports  # as if units without a known cost had cost what they brought
    high_lamports: Lamports  # as if they had cost nothing
    unrealised_lamports: Lamports | None  # exit value - basis of open cycles; None where one of them has no exit value
    open_without_exit: int
    coverage: Decimal | None  # sold value of units with a known cost ÷ all sold value
    unreconciled_tokens: int
    roi: Decimal | None  # net of counted cycles ÷ their basis
    expectancy_lamports: Lamports | None  # mean net of a counted cycle
    per_trade_lamports: Lamports | None  # realised ÷ buys and sales
    profit_factor: Decimal | None  # (gains + s) ÷ (losses + s), s = median position, at most 10
    payoff: Decimal | None  # average win ÷ average loss
    fees_lamports: Lamports
    fee_drag: Decimal | None  # fees of counted cycles ÷ what those that gained brought before fees
    hold_n: int
    mean_hold_seconds: int | None
    median_hold_seconds: int | None
    p10_hold_seconds: int | None
    average_position_sol: Decimal | None
    median_position_sol: Decimal | None
    drawdown_lamports: Lamports  # largest fall of cumulative net
    drawdown_share: Decimal | None  # of the most basis at work at one time
    concentration: Decimal | None  # Herfindahl index of the tokens' gains: 1 = one token made it all
    effective_tokens: Decimal | None  # 1 ÷ concentration
    top_share: Decimal | None  # the best token's share of all gains


class Profile(msgspec.Struct, frozen=True):
    """A wallet's habits and results. `scored` leaves the seed tokens out, `all` has them in."""

    scored: Figures
    all: Figures
    seeds: tuple[str, ...]  # the wallet's seed tokens that its history holds
    first_trade_at: UnixSeconds | None
    last_trade_at: UnixSeconds | None
    active_days: int  # UTC days with a swap
    swaps: int  # transactions with a buy or a sale
    swaps_per_day: Decimal | None  # swaps ÷ active days, two places
    overhead_lamports: Lamports  # fees of failed transactions
    truncated: bool  # too active: more transactions than were read
    hours: tuple[int, ...]  # swaps by hour of the day, UTC, 24 counts
    timing_percentile: Decimal | None  # mean place among a token's early buyers, 0 = first, 100 = last; two places
    timing_n: int


class Part(msgspec.Struct, frozen=True):
    """One part of a score: 0–1, or None where it could not be computed, which `note` explains."""

    name: str
    value: float | None
    weight: float
    note: str


class Gate(msgspec.Struct, frozen=True):
    """One condition of being scored, in words for the operator."""

    name: str
    passed: bool
    observed: str
    needed: str


class Score(msgspec.Struct, frozen=True):
    """A score 0–1 with its reasons. `value` None: a gate stands against it, see `reason`."""

    value: Decimal | None  # four places
    provisional: bool
    provisional_because: tuple[str, ...]
    reason: str  # why unscored, "" where scored
    version: int
    parts: tuple[Part, ...]
    gates: tuple[Gate, ...]
    freshness: Decimal | None  # the factor for the days since the last trade, four places
    n: int  # wins + losses
    n_eff: Decimal  # the same, old cycles weighing less; four places
    win_rate: Decimal | None
    interval: tuple[Decimal, Decimal] | None  # 90 % Wilson interval of the win rate


class Prior(msgspec.Struct, frozen=True):
    """What is known of a wallet before its own record: the cohort of one run, stored with it.

    Win rate ~ Beta(alpha0, beta0). Log-ROI of a wallet ~ Normal(g0, tau2), of a cycle around its wallet's ~ sigma2.
    """

    alpha0: float
    beta0: float
    g0: float
    tau2: float
    sigma2: float
    wallets: int  # with at least one win or loss
    edges: tuple[float, ...]  # the cohort's lower bounds of log-ROI, ascending; empty: too few wallets to compare
    version: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; floats survive the way there and back."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Prior":
        """The prior that `to_dict` wrote. Raises msgspec.ValidationError where a field is missing or of wrong type."""
        return msgspec.convert(plain, cls)
