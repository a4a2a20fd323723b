"""What following the found wallets brought since their judgements, against control
wallets of the same tokens (docs/forward-record.md).

Growth is that of `evidence.growth`, in stakes a trade: 0.05 = 5 % of the stake.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from statistics import fmean, quantiles
from typing import Final, Literal

import msgspec

from discovery.analysis.clustered import (
    Estimate,
    Sample,
    clustered_difference,
    clustered_mean,
)
from discovery.analysis.evidence import LEVELS
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.domain.judgements import Verdict
from discovery.domain.times import UnixSeconds

MIN_WALLETS: Final = 10
MIN_TOKENS: Final = 10
MIN_TRADES: Final = 30
"""What each arm needs before its mean is stated: with fewer clusters no error of it can
be trusted.
"""
MAX_SEEING_GAP: Final = 0.1
"""Nothing is claimed in favour of an arm whose trades were seen less closely than those
of the other, by more than this share.
"""
_MIN_WIDTH_STAKES: Final = 1e-6
_NO_BOUNDS: Final[tuple[float | None, float | None]] = (None, None)
_THIRDS: Final = 3


class FollowedTrade(msgspec.Struct, frozen=True, gc=False):
    """What followed a judgement in one token. One for each wallet and mint.

    score, verdict, score_version: of the snapshot that stood at the entry. Growths are
    in stakes, None if they are not known. level: how closely the follower's prices were
    seen, an index into `follower.LEVEL_NAMES`.
    """

    arm: Literal["found", "control"]
    wallet: str
    mint: str
    entry_at: int  # unix seconds
    score: float | None
    verdict: Verdict
    score_version: int
    leader_growth: float | None
    follower_growth: float | None
    level: int = 0
    unknown_reason: str = ""

    @property
    def counts(self) -> bool:
        """True if it is part of the headline: nobody follows a found wallet before its
        verdict says so; control wallets count with any.
        """
        return self.arm == "control" or self.verdict == Verdict.FOLLOW


class Missing(msgspec.Struct, frozen=True):
    """How many more an arm needs before its mean is stated."""

    wallets: int = 0
    tokens: int = 0
    trades: int = 0

    def __bool__(self) -> bool:
        return bool(self.wallets or self.tokens or self.trades)


class ArmGrowth(msgspec.Struct, frozen=True):
    """Trades of one arm. Counts are of trades whose follower growth is known.

    Growths are means a trade, in stakes, None while anything is missing; the bounds are
    the 90 % interval for one look. leader_growth_stakes: mean of the known among all
    trades. trades_by_level: costs only, behind the leader, late.
    """

    trades: int
    wallets: int
    tokens: int
    unknown_trades: int
    trades_by_level: tuple[int, ...]
    missing: Missing
    growth_stakes: float | None
    low_stakes: float | None
    high_stakes: float | None
    leader_growth_stakes: float | None

    def share_seen(self, level: int) -> float:
        """Return the share of trades seen at this level or closer, 0 without trades."""
        if not self.trades:
            return 0.0
        return sum(self.trades_by_level[level:]) / self.trades


class Lift(msgspec.Struct, frozen=True):
    """Follower growth of the found less that of the control wallets, in stakes a trade.
    None while either arm misses something.

    low_stakes, high_stakes: 90 % interval for one look. sequential_low_stakes,
    sequential_high_stakes: 90 % bounds that hold at all looks together. tokens: distinct
    ones of both arms. first_entry_at, last_entry_at: of known trades of both arms.
    """

    found: ArmGrowth
    control: ArmGrowth
    tokens: int
    first_entry_at: UnixSeconds | None
    last_entry_at: UnixSeconds | None
    lift_stakes: float | None
    low_stakes: float | None
    high_stakes: float | None
    standard_error_stakes: float | None
    sequential_low_stakes: float | None
    sequential_high_stakes: float | None

    @property
    def is_known(self) -> bool:
        """True if there are enough wallets, tokens and trades for a statement."""
        return self.lift_stakes is not None


class ClaimKind(StrEnum):
    """What the record shows, to somebody who looks every day."""

    MORE = "more"
    LESS = "less"
    NO_DIFFERENCE = "no difference shown"
    NOT_KNOWN = "not known yet"


class Claim(msgspec.Struct, frozen=True):
    """A statement about the lift, with the 90 % bounds that hold at all looks together,
    in stakes a trade.

    seen_unequally: the bounds exclude 0, but in favour of the arm whose prices were seen
    less closely, so that nothing is claimed.
    """

    kind: ClaimKind
    low_stakes: float | None = None
    high_stakes: float | None = None
    seen_unequally: bool = False


class Regimes(msgspec.Struct, frozen=True):
    """Lift by the mood of the day of entry: thirds of the days by the median growth of
    their early buyers.

    lower_cut_stakes, upper_cut_stakes: what separates the thirds, None with fewer than 3
    days; the lifts are not known then. trades_without_day: known ones of a day without a
    median.
    """

    lower: Lift
    middle: Lift
    upper: Lift
    lower_cut_stakes: float | None
    upper_cut_stakes: float | None
    trades_without_day: int


def lift(trades: Iterable[FollowedTrade]) -> Lift:
    """Return both arms' mean follower growth and their difference, with errors clustered
    by wallet and token. Trades that do not count are left out.
    """
    counted = [trade for trade in trades if trade.counts]
    found = [trade for trade in counted if trade.arm == "found"]
    control = [trade for trade in counted if trade.arm == "control"]
    found_known, control_known = _known_sample(found), _known_sample(control)
    found_growth = _arm_growth(found, found_known)
    control_growth = _arm_growth(control, control_known)
    estimate: Estimate | None = None
    bounds = sequential = _NO_BOUNDS
    if not found_growth.missing and not control_growth.missing:
        estimate = clustered_difference(found_known, control_known)
        bounds = estimate.interval()
        sequential = estimate.sequential_interval()
    entries = [trade.entry_at for trade in counted if trade.follower_growth is not None]
    return Lift(
        found=found_growth,
        control=control_growth,
        tokens=len(found_known.by_token.keys() | control_known.by_token.keys()),
        first_entry_at=min(entries, default=None),
        last_entry_at=max(entries, default=None),
        lift_stakes=None if estimate is None else estimate.value,
        low_stakes=bounds[0],
        high_stakes=bounds[1],
        standard_error_stakes=None if estimate is None else estimate.standard_error,
        sequential_low_stakes=sequential[0],
        sequential_high_stakes=sequential[1],
    )


def claims_lift(measured: Lift) -> Claim:
    """Return what may be claimed of a lift however often it is looked at. Over all looks
    of a record without a difference, at most 10 % of records ever show one. A claim
    lapses when its bounds contain 0 again.
    """
    low, high = measured.sequential_low_stakes, measured.sequential_high_stakes
    if low is None or high is None:
        return Claim(ClaimKind.NOT_KNOWN)
    if high - low < _MIN_WIDTH_STAKES:
        # All trades of an arm ended alike, as in a day of total losses.
        return Claim(ClaimKind.NO_DIFFERENCE)
    kind = _kind_of(low, high)
    favoured, other = measured.found, measured.control
    if kind is ClaimKind.LESS:
        favoured, other = other, favoured
    if kind is ClaimKind.NO_DIFFERENCE or not _is_seen_less(favoured, other):
        return Claim(kind, low, high)
    return Claim(ClaimKind.NO_DIFFERENCE, low, high, seen_unequally=True)


def regimes(
    trades: Iterable[FollowedTrade], median_growth_by_day: Mapping[int, float]
) -> Regimes:
    """Return the lift in each third of the days. median_growth_by_day: day (unix seconds
    // 86400, UTC) → median growth of that day's early buyers, in stakes.

    The thirds look back over all days: they describe the record, nothing follows for
    the next day.
    """
    groups: dict[str, list[FollowedTrade]] = {"lower": [], "middle": [], "upper": []}
    without_day = 0
    cuts = _third_cuts(list(median_growth_by_day.values()))
    for trade in trades:
        median = median_growth_by_day.get(trade.entry_at // SECONDS_PER_DAY)
        if median is not None and cuts is not None:
            groups[_third_of(median, *cuts)].append(trade)
        elif trade.counts and trade.follower_growth is not None:
            without_day += 1
    return Regimes(
        lower=lift(groups["lower"]),
        middle=lift(groups["middle"]),
        upper=lift(groups["upper"]),
        lower_cut_stakes=None if cuts is None else cuts[0],
        upper_cut_stakes=None if cuts is None else cuts[1],
        trades_without_day=without_day,
    )


def lift_by_version(trades: Iterable[FollowedTrade]) -> dict[int, Lift]:
    """Return score version → lift of the trades whose snapshots have it, in order of the
    versions.
    """
    groups: dict[int, list[FollowedTrade]] = {}
    for trade in trades:
        groups.setdefault(trade.score_version, []).append(trade)
    return {version: lift(groups[version]) for version in sorted(groups)}


def missing_of(wallets: int, tokens: int, trades: int) -> Missing:
    """Return what an arm with so many known trades still misses."""
    return Missing(
        wallets=max(0, MIN_WALLETS - wallets),
        tokens=max(0, MIN_TOKENS - tokens),
        trades=max(0, MIN_TRADES - trades),
    )


def mean_or_none(values: Sequence[float]) -> float | None:
    """Return the mean, None without values."""
    return fmean(values) if values else None


def _known_sample(trades: Iterable[FollowedTrade]) -> Sample:
    values: list[float] = []
    wallets: list[str] = []
    mints: list[str] = []
    for trade in trades:
        if trade.follower_growth is not None:
            values.append(trade.follower_growth)
            wallets.append(trade.wallet)
            mints.append(trade.mint)
    return Sample(values, wallets, mints)


def _arm_growth(trades: Sequence[FollowedTrade], known: Sample) -> ArmGrowth:
    missing = missing_of(len(known.by_wallet), len(known.by_token), known.count)
    growth: float | None = None
    bounds = _NO_BOUNDS
    if not missing:
        estimate = clustered_mean(known)
        growth, bounds = estimate.value, estimate.interval()
    by_level = [0] * LEVELS
    for trade in trades:
        if trade.follower_growth is not None:
            by_level[trade.level] += 1
    leader = [
        trade.leader_growth for trade in trades if trade.leader_growth is not None
    ]
    return ArmGrowth(
        trades=known.count,
        wallets=len(known.by_wallet),
        tokens=len(known.by_token),
        unknown_trades=len(trades) - known.count,
        trades_by_level=tuple(by_level),
        missing=missing,
        growth_stakes=growth,
        low_stakes=bounds[0],
        high_stakes=bounds[1],
        leader_growth_stakes=mean_or_none(leader),
    )


def _kind_of(low: float, high: float) -> ClaimKind:
    if low > 0:
        return ClaimKind.MORE
    if high < 0:
        return ClaimKind.LESS
    return ClaimKind.NO_DIFFERENCE


def _is_seen_less(arm: ArmGrowth, other: ArmGrowth) -> bool:
    return any(
        arm.share_seen(level) < other.share_seen(level) - MAX_SEEING_GAP
        for level in range(1, LEVELS)
    )


def _third_cuts(medians: Sequence[float]) -> tuple[float, float] | None:
    if len(medians) < _THIRDS:
        return None
    low, high = quantiles(medians, n=_THIRDS, method="inclusive")
    return low, high


def _third_of(median: float, low: float, high: float) -> str:
    if median < low:
        return "lower"
    return "upper" if median > high else "middle"
