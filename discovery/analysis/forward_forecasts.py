"""Whether scores meant what they said: calibration, and the share of false `follow`."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import StatisticsError, correlation, fmean
from typing import Final

import msgspec

from discovery.analysis.forward_record import FollowedTrade, mean_or_none
from discovery.analysis.statistics import wilson_interval
from discovery.domain.judgements import Verdict

PARTS: Final = 5
_MIN_PAIRS: Final = 3


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """A score and what followed it: of a wallet, or of one snapshot at one horizon.

    growth_stakes: mean follower growth a trade, None if no trade is known. name: a
    wallet, or another label that tells forecasts of one score apart.
    """

    name: str
    score: float
    growth_stakes: float | None


class Share(msgspec.Struct, frozen=True):
    """A count of wallets and its 90 % Wilson interval. Shares are 0–1, None of nothing."""

    hits: int
    total: int
    share: float | None
    low: float | None
    high: float | None


class Fifth(msgspec.Struct, frozen=True):
    """A fifth of the forecasts, by score.

    predicted: mean score. gained: those with a mean growth above 0.
    """

    min_score: float
    max_score: float
    predicted: float
    gained: Share


class Calibration(msgspec.Struct, frozen=True):
    """Scores against outcomes. Fifths are empty with fewer than five known forecasts.

    unknown: forecasts without a known trade. rank_correlation: Spearman's, of score and
    growth; None if either does not vary.
    """

    fifths: tuple[Fifth, ...]
    known: int
    unknown: int
    rank_correlation: float | None


class FalseFollows(msgspec.Struct, frozen=True):
    """Wallets that had the verdict `follow`, and how many of them are luck.

    expected: Σ (1 - score) over all of them; expected_known: over those with a known
    outcome, to compare with `lost`: those whose mean growth is at most 0. A wallet loses
    by chance too, and most with few trades, so that `lost` may well be the larger one.
    """

    wallets: int
    expected: float
    expected_known: float
    lost: Share
    unknown: int


def forecasts_of(trades: Iterable[FollowedTrade]) -> list[Forecast]:
    """Return a forecast for each wallet with a score: that of its first entry, which
    knew nothing of what followed, with the mean growth of all its known trades.
    """
    by_wallet: dict[str, list[FollowedTrade]] = {}
    for trade in trades:
        if trade.score is not None:
            by_wallet.setdefault(trade.wallet, []).append(trade)
    return [_forecast(wallet, own) for wallet, own in sorted(by_wallet.items())]


def calibration(forecasts: Iterable[Forecast]) -> Calibration:
    """Return how many of each fifth gained, and the rank correlation."""
    known: list[tuple[Forecast, float]] = []
    unknown = 0
    for forecast in forecasts:
        if forecast.growth_stakes is None:
            unknown += 1
        else:
            known.append((forecast, forecast.growth_stakes))
    known.sort(key=lambda pair: (pair[0].score, pair[0].name))
    fifths: list[Fifth] = []
    if len(known) >= PARTS:
        cuts = [len(known) * part // PARTS for part in range(PARTS + 1)]
        fifths = [_fifth(known[start:end]) for start, end in pairwise(cuts)]
    return Calibration(
        fifths=tuple(fifths),
        known=len(known),
        unknown=unknown,
        rank_correlation=_rank_correlation(known),
    )


def false_follows(trades: Iterable[FollowedTrade]) -> FalseFollows:
    """Return the expected and the observed number of false `follow`, from the trades
    that were entered under that verdict.
    """
    followed = [
        trade
        for trade in trades
        if trade.arm == "found" and trade.verdict == Verdict.FOLLOW
    ]
    forecasts = forecasts_of(followed)
    known = [each for each in forecasts if each.growth_stakes is not None]
    lost = sum((each.growth_stakes or 0.0) <= 0 for each in known)
    return FalseFollows(
        wallets=len(forecasts),
        expected=_expected_luck(forecasts),
        expected_known=_expected_luck(known),
        lost=_share(lost, len(known)),
        unknown=len(forecasts) - len(known),
    )


def _expected_luck(forecasts: Sequence[Forecast]) -> float:
    return math.fsum(1 - each.score for each in forecasts)


def _forecast(wallet: str, trades: Sequence[FollowedTrade]) -> Forecast:
    first = min(trades, key=lambda trade: (trade.entry_at, trade.mint))
    assert first.score is not None  # `forecasts_of` passes over the others
    growths = [
        trade.follower_growth for trade in trades if trade.follower_growth is not None
    ]
    return Forecast(wallet, first.score, mean_or_none(growths))


def _fifth(part: Sequence[tuple[Forecast, float]]) -> Fifth:
    scores = [forecast.score for forecast, _ in part]
    return Fifth(
        min_score=scores[0],
        max_score=scores[-1],
        predicted=fmean(scores),
        gained=_share(sum(growth > 0 for _, growth in part), len(part)),
    )


def _share(hits: int, total: int) -> Share:
    if not total:
        return Share(0, 0, None, None, None)
    low, high = wilson_interval(hits, total)
    return Share(hits, total, hits / total, low, high)


def _rank_correlation(known: Sequence[tuple[Forecast, float]]) -> float | None:
    if len(known) < _MIN_PAIRS:
        return None
    scores = _ranks([forecast.score for forecast, _ in known])
    growths = _ranks([growth for _, growth in known])
    try:
        return correlation(scores, growths)
    except StatisticsError:
        return None  # one of them is constant


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value; equal values share the mean of their ranks."""
    counts = Counter(values)
    rank_of: dict[float, float] = {}
    smaller = 0
    for value in sorted(counts):
        rank_of[value] = smaller + (counts[value] + 1) / 2
        smaller += counts[value]
    return [rank_of[value] for value in values]
