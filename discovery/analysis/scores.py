"""Scores: gates first, then a weighted geometric mean of parts, times freshness.
Formulas in docs/scores.md.

Two parts of the full score need facts that are not fetched: how often any token of the
same weeks pumps (luck) and the history of the pools after each trade (copyability).
They are left out and never guessed, and the score is provisional.
"""

import math
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
    `profile.scored`. flags: names of its flags.
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
    reasons = [f"{part.name}: {part.note}" for part in parts if part.value is None]
    if profile.scored.counted < MIN_FINAL_CYCLES:
        reasons.append(f"fewer than {MIN_FINAL_CYCLES} resolved cycles")
    return reasons


def _interval(rate: Ratio) -> tuple[Decimal, Decimal] | None:
    if rate.low is None or rate.high is None:
        return None
    return rate.low, rate.high


def _gates(profile: Profile, flags: Collection[str], now: int) -> tuple[Gate, ...]:
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
    return Gate(
        "last trade", idle_days <= MAX_IDLE_DAYS, f"{idle_days:.1f} days ago", needed
    )


def _profit_gate(name: str, lamports: int) -> Gate:
    return Gate(
        name, lamports > 0, f"{lamports_to_sol(lamports):,.4f} SOL", "above 0 SOL"
    )


def _win_skill(sample: CycleSample, prior: Prior) -> Part:
    """q05 of Beta(α₀ + k, β₀ + n - k), k and n by weight, scaled from the prior's mean
    (0) to 80 % (1).
    """
    if not sample.decided_n:
        return Part("win skill", None, 0.25, "no win and no loss")
    mean = prior.alpha0 / (prior.alpha0 + prior.beta0)
    wins = sample.decided_n * sample.win_share
    bound = beta_quantile(
        0.05, prior.alpha0 + wins, prior.beta0 + sample.decided_n - wins
    )
    value = min(max((bound - mean) / (FULL_WIN_RATE - mean), 0.0), 1.0)
    return Part(
        "win skill",
        value,
        0.25,
        f"win rate above {bound:.1%} at 95 %, cohort {mean:.1%}",
    )


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
    below = sum(edge < bound for edge in prior.edges)
    equal = sum(edge == bound for edge in prior.edges)
    value = (below + equal / 2) / len(prior.edges)
    rank = f"better than {value:.0%} of {len(prior.edges)} wallets"
    return Part(
        "edge",
        value,
        0.25,
        f"return above {math.expm1(bound):+.1%} a cycle at 95 %, {rank}",
    )


def _consistency(sample: CycleSample) -> Part:
    value = probabilistic_sharpe(
        [log_roi(cycle.net_lamports, cycle.put_in_lamports) for cycle in sample.cycles]
    )
    if value is None:
        return Part("consistency", None, 0.15, "returns too few or too alike")
    return Part(
        "consistency", value, 0.15, f"{value:.0%} sure that the mean return is above 0"
    )


def _breadth(profile: Profile) -> Part:
    tokens = profile.scored.effective_tokens
    if tokens is None:
        return Part("breadth", None, 0.10, "nothing gained")
    return Part(
        "breadth",
        min(1.0, float(tokens) / FULL_TOKENS),
        0.10,
        f"gains as of {tokens:.1f} equal tokens",
    )


def _combined(parts: Iterable[Part]) -> float:
    """exp(Σ weight · ln max(part, 0.01)) over the parts that have a value: a bad part
    cannot be made up for.
    """
    present = [(part.weight, part.value) for part in parts if part.value is not None]
    total = math.fsum(weight for weight, _ in present)
    if not total:
        return 0.0
    return math.exp(
        math.fsum(weight * math.log(max(value, MIN_PART)) for weight, value in present)
        / total
    )


def _freshness(profile: Profile, now: int) -> float:
    """1 for three days after the last trade, then halved every 14 days; 0 without a
    trade.
    """
    if profile.last_trade_at is None:
        return 0.0
    days = (now - profile.last_trade_at) / SECONDS_PER_DAY
    return float(2.0 ** (-max(0.0, days - FRESH_DAYS) / HALF_LIFE_DAYS))
