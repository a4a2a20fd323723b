"""Measure whether the intervals and claims of the forward record keep their promises, in
simulated records whose truth is known; and its time with 100,000 trades.

A token's outcome is shared by all wallets that buy it, of both arms; wallets differ in
skill and in how much they trade. Three in four tokens lose most of the stake, a few win
many times it, as on the real market.
"""

import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from discovery.analysis.evidence import growth
from discovery.analysis.forward_forecasts import (
    calibration,
    false_follows,
    forecasts_of,
)
from discovery.analysis.forward_outlook import outlook
from discovery.analysis.forward_record import (
    Claim,
    ClaimKind,
    FollowedTrade,
    Lift,
    claims_lift,
    lift,
    lift_by_version,
    regimes,
)
from discovery.domain.judgements import Verdict

WORLDS: Final = 400
WORLDS_WITHOUT_SKILL: Final = 100
DAYS: Final = 30
DAY_SECONDS: Final = 86_400
STARTED_AT: Final = 1_790_000_000 // DAY_SECONDS * DAY_SECONDS
MANY_TRADES: Final = 100_000
MAX_SECONDS: Final = 3.0
COVERAGE: Final = (0.87, 0.93)
MIN_SEQUENTIAL_COVERAGE: Final = 0.90
MAX_FALSE_CLAIMS: Final = 0.10

_DEAD_SHARE: Final = 0.75
_DEAD: Final = (-1.0, 0.7)
_LIVE: Final = (0.6, 1.0)
_TRADE_SPREAD: Final = 0.6
_GRID: Final = 4000


class Shape(NamedTuple):
    """Sizes of a record. Skills are shifts of the logarithm of what comes back, spreads
    those of their normal distributions between wallets, of how much wallets trade, and
    of how popular tokens are.
    """

    name: str
    found: tuple[int, int] = (10, 40)
    control: tuple[int, int] = (40, 120)
    tokens: tuple[int, int] = (60, 200)
    skill: float = 0.3
    skill_spread: float = 0.25
    activity_spread: float = 1.0
    popularity_spread: float = 1.0
    dominating_share: float = 0.0
    trades_a_wallet: int = 12

    @property
    def without_skill(self) -> "Shape":
        """The same record with found wallets that are like the control wallets."""
        return self._replace(skill=0.0)


SHAPES: Final = (
    Shape("usual"),
    Shape("few clusters", found=(12, 12), control=(30, 30), tokens=(30, 30)),
    Shape("unequal sizes", activity_spread=1.3, popularity_spread=1.5),
    Shape("a dominating token", dominating_share=0.8),
    Shape("unlike wallets", skill_spread=0.5),
)


class Checked(NamedTuple):
    """Shares of worlds: truth within the interval of the last look, truth within the
    sequential bounds at every daily look, and any claim at a daily look.
    """

    coverage: float
    naive_coverage: float
    sequential_coverage: float
    claims: float


def main() -> None:
    """Print coverage, false claims and seconds. Exit with 1 if a bound is missed."""
    misses: list[str] = []
    for shape in SHAPES:
        checked = check(shape, WORLDS, seed=1)
        idle = check(shape.without_skill, WORLDS_WITHOUT_SKILL, seed=2)
        print(
            f"report: {shape.name:<18} one look {checked.coverage:6.1%}, "
            f"daily looks {checked.sequential_coverage:6.1%} "
            f"(with the interval of one look {checked.naive_coverage:.1%}); "
            f"claims {checked.claims:.1%}, without skill {idle.claims:.1%}"
        )
        misses += misses_of(shape.name, checked, idle)
    seconds = _report_seconds()
    print(f"report: {MANY_TRADES:,} trades: {seconds:.2f} s")
    if seconds > MAX_SECONDS:
        misses.append(f"{seconds:.2f} s are more than {MAX_SECONDS} s")
    for miss in misses:
        print(f"report: missed: {miss}")
    if misses:
        sys.exit(1)


def check(shape: Shape, worlds: int, seed: int) -> Checked:
    """Return what holds in so many worlds of this shape, the same at each call."""
    truth = true_lift(shape)
    covered = naive = sequential = claimed = 0
    for number in range(worlds):
        trades = world(random.Random(f"{shape.name} {seed} {number}"), shape)  # noqa: S311 - figures, no secrets
        looks = list(daily_looks(trades))
        last = looks[-1][0]
        covered += _holds(truth, last.low_stakes, last.high_stakes)
        naive += all(
            _holds(truth, each.low_stakes, each.high_stakes) for each, _ in looks
        )
        sequential += all(
            _holds(truth, claim.low_stakes, claim.high_stakes) for _, claim in looks
        )
        claimed += any(
            claim.kind in (ClaimKind.MORE, ClaimKind.LESS) for _, claim in looks
        )
    return Checked(
        covered / worlds, naive / worlds, sequential / worlds, claimed / worlds
    )


def misses_of(name: str, checked: Checked, idle: Checked) -> list[str]:
    """Return the bounds that are missed, in words."""
    misses: list[str] = []
    low, high = COVERAGE
    if not low <= checked.coverage <= high:
        misses.append(f"{name}: {checked.coverage:.1%} is not in {low:.0%}–{high:.0%}")
    if checked.sequential_coverage < MIN_SEQUENTIAL_COVERAGE:
        misses.append(f"{name}: daily looks hold in {checked.sequential_coverage:.1%}")
    if idle.claims > MAX_FALSE_CLAIMS:
        misses.append(f"{name}: {idle.claims:.1%} claim without skill")
    return misses


def daily_looks(trades: Sequence[FollowedTrade]) -> Iterator[tuple[Lift, Claim]]:
    """Yield the lift and the claim at the end of each day."""
    for day in range(1, DAYS + 1):
        end = STARTED_AT + day * DAY_SECONDS
        measured = lift(trade for trade in trades if trade.entry_at < end)
        yield measured, claims_lift(measured)


def world(chance: random.Random, shape: Shape) -> list[FollowedTrade]:
    """Return the trades of one record."""
    found, control = chance.randint(*shape.found), chance.randint(*shape.control)
    outcomes = [_token_outcome(chance) for _ in range(chance.randint(*shape.tokens))]
    entered = [chance.randrange(DAYS) for _ in outcomes]
    popularity = [chance.gauss(0, shape.popularity_spread) for _ in outcomes]
    trades: list[FollowedTrade] = []
    for number in range(found + control):
        is_found = number < found
        skill = chance.gauss(shape.skill if is_found else 0.0, shape.skill_spread)
        for token in _chosen_tokens(chance, shape, popularity):
            outcome = outcomes[token] + skill + chance.gauss(0, _TRADE_SPREAD)
            gained = growth(math.exp(outcome) - 1)
            at = STARTED_AT + entered[token] * DAY_SECONDS + chance.randrange(3600)
            trades.append(_trade(is_found, number, token, at, gained))
    return trades


def true_lift(shape: Shape) -> float:
    """Return the expected difference between a trade of a found and one of a control
    wallet, in stakes.
    """
    return _expected_growth(shape.skill, shape) - _expected_growth(0.0, shape)


def _expected_growth(skill: float, shape: Shape) -> float:
    """Return the mean growth by the midpoint rule over ±8 standard deviations of the
    logarithm of what comes back, which is a mixture of two normal distributions.
    """
    extra = shape.skill_spread**2 + _TRADE_SPREAD**2
    total = 0.0
    for share, (mean, spread) in ((_DEAD_SHARE, _DEAD), (1 - _DEAD_SHARE, _LIVE)):
        deviation = math.sqrt(spread**2 + extra)
        step = 16 / _GRID
        for cell in range(_GRID):
            z = -8 + (cell + 0.5) * step
            density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            gained = growth(math.exp(mean + skill + deviation * z) - 1)
            total += share * density * step * gained
    return total


def _token_outcome(chance: random.Random) -> float:
    """Return the logarithm of what comes back of a stake in a token."""
    return chance.gauss(*(_DEAD if chance.random() < _DEAD_SHARE else _LIVE))


def _chosen_tokens(
    chance: random.Random, shape: Shape, popularity: Sequence[float]
) -> list[int]:
    """Return the tokens of a wallet: drawn without repetition, popular ones first. A
    dominating token is the first one, for its share of the wallets.
    """
    drift = shape.activity_spread**2 / 2
    activity = math.exp(chance.gauss(-drift, shape.activity_spread))
    count = round(shape.trades_a_wallet * activity)
    count = min(max(1, count), len(popularity) // 2)
    # Gumbel noise makes the largest keys a weighted sample without repetition.
    keys = [each - math.log(-math.log(chance.random())) for each in popularity]
    tokens = sorted(range(len(keys)), key=keys.__getitem__, reverse=True)[:count]
    if chance.random() < shape.dominating_share and 0 not in tokens:
        tokens.append(0)
    return tokens


def _trade(
    is_found: bool, wallet: int, token: int, at: int, gained: float
) -> FollowedTrade:
    return FollowedTrade(
        arm="found" if is_found else "control",
        wallet=f"wallet {wallet}",
        mint=f"mint {token}",
        entry_at=at,
        score=0.9 if is_found else 0.3,
        verdict=Verdict.FOLLOW if is_found else Verdict.NEUTRAL,
        score_version=2,
        leader_growth=gained,
        follower_growth=gained,
        level=2,
    )


def _holds(truth: float, low: float | None, high: float | None) -> bool:
    """Return True if the truth is within the bounds, or nothing is stated."""
    return low is None or high is None or low <= truth <= high


def _report_seconds() -> float:
    """Return the time of everything that the report page shows, with many trades."""
    shape = Shape(
        "large",
        found=(2000, 2000),
        control=(6000, 6000),
        tokens=(400, 400),
        trades_a_wallet=15,
    )
    trades = world(random.Random(3), shape)[:MANY_TRADES]  # noqa: S311 - figures, no secrets
    chance = random.Random(4)  # noqa: S311 - figures, no secrets
    chance.shuffle(trades)
    medians = {
        STARTED_AT // DAY_SECONDS + day: chance.gauss(0, 0.3) for day in range(DAYS)
    }
    started = time.process_time()
    claims_lift(lift(trades))
    regimes(trades, medians)
    lift_by_version(trades)
    calibration(forecasts_of(trades))
    false_follows(trades)
    outlook(trades, STARTED_AT + DAYS * DAY_SECONDS)
    assert len(trades) == MANY_TRADES
    return time.process_time() - started
