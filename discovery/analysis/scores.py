"""Scores: gates first, then a weighted geometric mean of parts, times freshness. Formulas in docs/scores.md.

Two parts of the full score need facts that are not fetched: how often any token of the same weeks pumps (luck) and the
pools' history after each trade (copyability). They are left out, never filled in, and the score says it is provisional.
"""

import math
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from discovery.analysis.cohort import MIN_WALLETS, SCORE_VERSION, CycleSample, edge_bound, weigh_cycles
from discovery.analysis.figures import counted_cycles
from discovery.analysis.statistics import SECONDS_PER_DAY, beta_quantile, log_roi, probabilistic_sharpe, to_decimal
from discovery.domain.flags import HARD_FLAGS
from discovery.domain.profiles import Cycle, Gate, Part, Prior, Profile, Score
from discovery.domain.units import lamports_to_sol

FULL_CYCLES: Final = 10
MIN_CYCLES: Final = 5
MIN_TOKENS: Final = 5
MIN_DAYS: Final = 7
MAX_IDLE_DAYS: Final = 14
MIN_COVERAGE: Final = Decimal("0.8")
GOOD_WIN_RATE: Final = 0.8
ENOUGH_TOKENS: Final = 8
MIN_PART: Final = 0.01
FRESH_DAYS: Final = 3
FADE_DAYS: Final = 14


def compute_score(
    profile: Profile,
    cycles: Sequence[Cycle],
    prior: Prior,
    *,
    seeds: AbstractSet[str],
    flags: Collection[str],
    now: int,
) -> Score:
    """The score of a wallet at `now` (unix seconds). Same facts and version, same score, in whatever order they come.

    cycles: all of the wallet's; those of `seeds` are left out here as in `profile.scored`. flags: names of its flags.
    """
    sample = weigh_cycles(counted_cycles(cycles, seeds), now)
    gates = _gates(profile, flags, now)
    failed = [gate for gate in gates if not gate.passed]
    parts = (
        _win_skill(sample, prior),
        _edge(sample, prior),
        Part("not luck", None, 0.15, "how often any token of the same weeks pumps is not known"),
        _consistency(sample),
        _breadth(profile),
        Part("copyability", None, 0.10, "prices after each trade are not known"),
    )
    because = [f"{part.name}: {part.note}" for part in parts if part.value is None]
    if profile.scored.counted < FULL_CYCLES:
        because.append(f"fewer than {FULL_CYCLES} resolved cycles")
    freshness = _freshness(profile, now)
    rate = profile.scored.win_rate
    return Score(
        value=None if failed else to_decimal(_combined(parts) * freshness),
        provisional=bool(because),
        provisional_because=tuple(because),
        reason="; ".join(f"{gate.name}: {gate.observed}, needed {gate.needed}" for gate in failed),
        version=SCORE_VERSION,
        parts=parts,
        gates=gates,
        freshness=to_decimal(freshness),
        n=rate.n,
        n_eff=to_decimal(sample.decided_n),
        win_rate=rate.value,
        interval=None if rate.low is None or rate.high is None else (rate.low, rate.high),
    )


def _gates(profile: Profile, flags: Collection[str], now: int) -> tuple[Gate, ...]:
    scored = profile.scored
    idle = None if profile.last_trade_at is None else max(0, now - profile.last_trade_at) / SECONDS_PER_DAY
    hard = sorted(HARD_FLAGS.intersection(flags))
    return (
        Gate("whole history", not profile.truncated, "too active" if profile.truncated else "read whole", "read whole"),
        Gate("hard flags", not hard, ", ".join(hard) or "none", "none"),
        Gate("resolved cycles", scored.counted >= MIN_CYCLES, str(scored.counted), f"at least {MIN_CYCLES}"),
        Gate("distinct tokens", scored.tokens >= MIN_TOKENS, str(scored.tokens), f"at least {MIN_TOKENS}"),
        Gate(
            "coverage",
            scored.coverage is not None and scored.coverage >= MIN_COVERAGE,
            "nothing sold" if scored.coverage is None else f"{scored.coverage:.1%} of sales have a known cost",
            f"at least {MIN_COVERAGE:.0%}",
        ),
        Gate(
            "reconciliation",
            not scored.unreconciled_tokens,
            f"{scored.unreconciled_tokens} tokens whose balance does not follow from the history",
            "none",
        ),
        Gate("active days", profile.active_days >= MIN_DAYS, str(profile.active_days), f"at least {MIN_DAYS}"),
        Gate(
            "last trade",
            idle is not None and idle <= MAX_IDLE_DAYS,
            "never" if idle is None else f"{idle:.1f} days ago",
            f"at most {MAX_IDLE_DAYS} days ago",
        ),
        Gate("net profit", scored.net_lamports > 0, _sol(scored.net_lamports), "above 0 SOL"),
        Gate(
            "net profit without the best token",
            scored.net_without_best_lamports > 0,
            _sol(scored.net_without_best_lamports),
            "above 0 SOL",
        ),
    )


def _win_skill(sample: CycleSample, prior: Prior) -> Part:
    """q05 of Beta(α₀ + k, β₀ + n - k), k and n by weight, on the scale from the prior's mean (0) to 80 % (1)."""
    if not sample.decided_n:
        return Part("win skill", None, 0.25, "no win and no loss")
    mean = prior.alpha0 / (prior.alpha0 + prior.beta0)
    wins = sample.decided_n * sample.win_share
    bound = beta_quantile(0.05, prior.alpha0 + wins, prior.beta0 + sample.decided_n - wins)
    value = min(max((bound - mean) / (GOOD_WIN_RATE - mean), 0.0), 1.0)
    return Part("win skill", value, 0.25, f"win rate above {bound:.1%} at 95 %, cohort {mean:.1%}")


def _edge(sample: CycleSample, prior: Prior) -> Part:
    """The place of the lower bound of the shrunk mean log-ROI among the cohort's; ties count half."""
    if not prior.edges:
        return Part("edge", None, 0.25, f"fewer than {MIN_WALLETS} wallets with results to compare with")
    bound = edge_bound(sample, prior.g0, prior.tau2, prior.sigma2)
    if bound is None:
        return Part("edge", None, 0.25, "no resolved cycle")
    below = sum(edge < bound for edge in prior.edges)
    equal = sum(edge == bound for edge in prior.edges)
    value = (below + equal / 2) / len(prior.edges)
    note = (
        f"return above {math.expm1(bound):+.1%} a cycle at 95 %, better than {value:.0%} of {len(prior.edges)} wallets"
    )
    return Part("edge", value, 0.25, note)


def _consistency(sample: CycleSample) -> Part:
    value = probabilistic_sharpe([log_roi(cycle.net_lamports, cycle.put_in_lamports) for cycle in sample.cycles])
    if value is None:
        return Part("consistency", None, 0.15, "returns too few or too alike")
    return Part("consistency", value, 0.15, f"{value:.0%} sure that the mean return is above 0")


def _breadth(profile: Profile) -> Part:
    tokens = profile.scored.effective_tokens
    if tokens is None:
        return Part("breadth", None, 0.10, "nothing gained")
    return Part("breadth", min(1.0, float(tokens) / ENOUGH_TOKENS), 0.10, f"gains as of {tokens:.1f} equal tokens")


def _combined(parts: Sequence[Part]) -> float:
    """exp(Σ weight · ln max(part, 0.01)) over the parts there are: none can be bought off by the others."""
    present = [(part.weight, part.value) for part in parts if part.value is not None]
    total = math.fsum(weight for weight, _ in present)
    if not total:
        return 0.0
    return math.exp(math.fsum(weight * math.log(max(value, MIN_PART)) for weight, value in present) / total)


def _freshness(profile: Profile, now: int) -> float:
    """1 for three days after the last trade, then halved every 14 days; 0 where there was none."""
    if profile.last_trade_at is None:
        return 0.0
    days = (now - profile.last_trade_at) / SECONDS_PER_DAY
    return float(2.0 ** (-max(0.0, days - FRESH_DAYS) / FADE_DAYS))


def _sol(lamports: int) -> str:
    return f"{lamports_to_sol(lamports):,.4f} SOL"
