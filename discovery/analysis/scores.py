"""Scores: gates first, then a weighted geometric mean of parts, times freshness.
Formulas in docs/scores.md.

Two parts of the full score need facts that are not fetched: how often any token of the
same weeks pumps (luck) and the history of the pools after each trade (copyability).
They are left out and never guessed, and the score is provisional.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from discovery.analysis.cohort import (
    MIN_WALLETS,
    SCORE_VERSION,
    CycleSample,
    edge_bound,
    weigh_cycles,
)
from discovery.analysis.figures import counted_cycles
from discovery.analysis.statistics import (
    SECONDS_PER_DAY,
    beta_quantile,
    log_roi,
    probabilistic_sharpe,
    to_decimal,
    weighted_mean,
)
from discovery.domain.flags import HARD_FLAGS
from discovery.domain.profiles import (
    Cycle,
    Figures,
    Gate,
    Part,
    Prior,
    Profile,
    Ratio,
    Score,
)
from discovery.domain.units import lamports_to_sol

MIN_FINAL_CYCLES: Final = 10
"""With fewer resolved cycles a score is provisional."""
MIN_CYCLES: Final = 5
MIN_TOKENS: Final = 5
MIN_DAYS: Final = 7
MAX_IDLE_DAYS: Final = 14
MIN_COVERAGE: Final = Decimal("0.8")
FULL_WIN_RATE: Final = 0.8
FULL_TOKENS: Final = 8
MIN_PART: Final = 0.01
FRESH_DAYS: Final = 3
HALF_LIFE_DAYS: Final = 14


def compute_score(
    profile: Profile,
    cycles: Sequence[Cycle],
    prior: Prior,
    *,
    seeds: AbstractSet[str],
    flags: Collection[str],
    now: int,
) -> Score:
    """Return the score of a wallet at `now` (unix seconds). It does not depend on the
    order of cycles and flags.

    cycles: all of the wallet's; those of `seeds` are left out here as in
    `profile.scored`. flags: names of its flags. A failed gate leaves the score without
    a value.
    """
    sample = weigh_cycles(counted_cycles(cycles, seeds), now)
    gates = _gates(profile, flags, now)
    failed = [gate for gate in gates if not gate.passed]
    parts = (
        _win_skill(sample, prior),
        _edge(sample, prior),
        Part(
            "not luck",
            None,
            0.15,
            "how often any token of the same weeks pumps is not known",
        ),
        _consistency(sample),
        _breadth(profile),
        Part("copyability", None, 0.10, "prices after each trade are not known"),
    )
    reasons = _provisional_reasons(profile, parts)
    freshness = _freshness(profile, now)
    rate = profile.scored.win_rate
    return Score(
        value=None if failed else to_decimal(_combined(parts) * freshness),
        provisional=bool(reasons),
        provisional_because=tuple(reasons),
        reason="; ".join(
            f"{gate.name}: {gate.observed}, needed {gate.needed}" for gate in failed
        ),
        version=SCORE_VERSION,
        parts=parts,
        gates=gates,
        freshness=to_decimal(freshness),
        n=rate.n,
        n_eff=to_decimal(sample.decided_n),
        win_rate=rate.value,
        interval=_interval(rate),
    )


def _provisional_reasons(profile: Profile, parts: Iterable[Part]) -> list[str]:
    """Return why the score may change: parts without a value, and too few cycles."""
    reasons = [f"{part.name}: {part.note}" for part in parts if part.value is None]
    if profile.scored.counted < MIN_FINAL_CYCLES:
        reasons.append(f"fewer than {MIN_FINAL_CYCLES} resolved cycles")
    return reasons


def _interval(rate: Ratio) -> tuple[Decimal, Decimal] | None:
    """Return the ends of the rate's interval, None for a rate of nothing."""
    if rate.low is None or rate.high is None:
        return None
    return rate.low, rate.high


def _gates(profile: Profile, flags: Collection[str], now: int) -> tuple[Gate, ...]:
    """Return the conditions of a score, passed or not. One that failed is enough for no
    score.
    """
    scored = profile.scored
    return (
        _history_gate(profile),
        _flags_gate(flags),
        _min_gate("resolved cycles", scored.counted, MIN_CYCLES),
        _min_gate("distinct tokens", scored.tokens, MIN_TOKENS),
        _coverage_gate(scored),
        _reconciliation_gate(scored),
        _min_gate("active days", profile.active_days, MIN_DAYS),
        _last_trade_gate(profile, now),
        _profit_gate("net profit", scored.net_lamports),
        _profit_gate(
            "net profit without the best token", scored.net_without_best_lamports
        ),
    )


def _history_gate(profile: Profile) -> Gate:
    observed = "too active" if profile.truncated else "read whole"
    return Gate("whole history", not profile.truncated, observed, "read whole")


def _flags_gate(flags: Collection[str]) -> Gate:
    hard = sorted(HARD_FLAGS.intersection(flags))
    return Gate("hard flags", not hard, ", ".join(hard) or "none", "none")


def _min_gate(name: str, count: int, min_count: int) -> Gate:
    return Gate(name, count >= min_count, str(count), f"at least {min_count}")


def _coverage_gate(scored: Figures) -> Gate:
    needed = f"at least {MIN_COVERAGE:.0%}"
    if scored.coverage is None:
        return Gate("coverage", False, "nothing sold", needed)
    observed = f"{scored.coverage:.1%} of sales have a known cost"
    return Gate("coverage", scored.coverage >= MIN_COVERAGE, observed, needed)


def _reconciliation_gate(scored: Figures) -> Gate:
    observed = f"{scored.unreconciled_tokens} tokens whose balance does not follow from the history"
    return Gate("reconciliation", not scored.unreconciled_tokens, observed, "none")


def _last_trade_gate(profile: Profile, now: int) -> Gate:
    needed = f"at most {MAX_IDLE_DAYS} days ago"
    if profile.last_trade_at is None:
        return Gate("last trade", False, "never", needed)
    idle_days = max(0, now - profile.last_trade_at) / SECONDS_PER_DAY
    observed = f"{idle_days:.1f} days ago"
    return Gate("last trade", idle_days <= MAX_IDLE_DAYS, observed, needed)


def _profit_gate(name: str, lamports: int) -> Gate:
    observed = f"{lamports_to_sol(lamports):,.4f} SOL"
    return Gate(name, lamports > 0, observed, "above 0 SOL")


def _win_skill(sample: CycleSample, prior: Prior) -> Part:
    """q05 of Beta(α₀ + k, β₀ + n - k), k and n by weight, scaled from the prior's mean
    (0) to 80 % (1).
    """
    if not sample.decided_n:
        return Part("win skill", None, 0.25, "no win and no loss")
    mean = prior.alpha0 / (prior.alpha0 + prior.beta0)
    wins = sample.decided_n * sample.win_share
    alpha = prior.alpha0 + wins
    beta = prior.beta0 + sample.decided_n - wins
    bound = beta_quantile(0.05, alpha, beta)
    value = min(max((bound - mean) / (FULL_WIN_RATE - mean), 0.0), 1.0)
    note = f"win rate above {bound:.1%} at 95 %, cohort {mean:.1%}"
    return Part("win skill", value, 0.25, note)


def _edge(sample: CycleSample, prior: Prior) -> Part:
    """The rank of the lower bound of the shrunk mean log-ROI among the cohort's; ties
    count half.
    """
    if not prior.edges:
        return Part(
            "edge",
            None,
            0.25,
            f"fewer than {MIN_WALLETS} wallets with results to compare with",
        )
    bound = edge_bound(sample, prior.g0, prior.tau2, prior.sigma2)
    if bound is None:
        return Part("edge", None, 0.25, "no resolved cycle")
    below = bisect_left(prior.edges, bound)
    equal = bisect_right(prior.edges, bound) - below
    value = (below + equal / 2) / len(prior.edges)
    rank = f"better than {value:.0%} of {len(prior.edges)} wallets"
    return Part(
        "edge",
        value,
        0.25,
        f"return above {math.expm1(bound):+.1%} a cycle at 95 %, {rank}",
    )


def _consistency(sample: CycleSample) -> Part:
    """The probability that the Sharpe ratio of the log-ROI of cycles is above 0."""
    returns = [
        log_roi(cycle.known_net_lamports, cycle.put_in_lamports)
        for cycle in sample.cycles
    ]
    value = probabilistic_sharpe(returns)
    if value is None:
        return Part("consistency", None, 0.15, "returns too few or too alike")
    note = f"{value:.0%} sure that the mean return is above 0"
    return Part("consistency", value, 0.15, note)


def _breadth(profile: Profile) -> Part:
    """The effective number of tokens that brought the gains: 8 or more are 1."""
    tokens = profile.scored.effective_tokens
    if tokens is None:
        return Part("breadth", None, 0.10, "nothing gained")
    value = min(1.0, float(tokens) / FULL_TOKENS)
    return Part("breadth", value, 0.10, f"gains as of {tokens:.1f} equal tokens")


def _combined(parts: Iterable[Part]) -> float:
    """exp(Σ weight · ln max(part, 0.01) / Σ weight) over the parts that have a value: a
    bad part cannot be made up for. 0 if none has one.
    """
    weights: list[float] = []
    logs: list[float] = []
    for part in parts:
        if part.value is not None:
            weights.append(part.weight)
            logs.append(math.log(max(part.value, MIN_PART)))
    if not weights:
        return 0.0
    return math.exp(weighted_mean(logs, weights))


def _freshness(profile: Profile, now: int) -> float:
    """1 for three days after the last trade, then halved every 14 days; 0 without a
    trade.
    """
    if profile.last_trade_at is None:
        return 0.0
    days = (now - profile.last_trade_at) / SECONDS_PER_DAY
    return float(2.0 ** (-max(0.0, days - FRESH_DAYS) / HALF_LIFE_DAYS))
