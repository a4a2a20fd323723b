"""Scores of sample histories."""

from discovery.analysis.scores import compute_score
from discovery.domain.profiles import Part, Prior, Score
from tests.analysis.sample_histories import (
    LOSS,
    NOW,
    PRIOR,
    SOL,
    WIN,
    Histories,
    profiled,
    round_trip,
)

GOOD = (WIN, WIN, LOSS, 3 * SOL, WIN, SOL * 3 // 2, LOSS, WIN, WIN, 3 * SOL, WIN, LOSS)


def scored(
    histories: Histories,
    *,
    seeds: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    prior: Prior = PRIOR,
    **facts,
) -> Score:
    """Return the score of a wallet with these histories by mint, at NOW unless given."""
    profile, cycles = profiled(histories, seeds=seeds, **facts)
    return compute_score(
        profile,
        cycles,
        prior,
        seeds=frozenset(seeds),
        flags=flags,
        now=facts.get("now", NOW),
    )


def part(result: Score, name: str) -> Part:
    """Return the part of a score by its name."""
    return next(p for p in result.parts if p.name == name)


def win_skill(proceeds: list[int]) -> float:
    """Return the win skill of a record whose cycles all have one age."""
    histories = {
        f"m{place}": round_trip(amount, tag=str(place))
        for place, amount in enumerate(proceeds)
    }
    value = part(scored(histories), "win skill").value
    assert value is not None
    return value
