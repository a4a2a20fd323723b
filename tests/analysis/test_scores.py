"""Scores: gates, parts, freshness."""

import math
from decimal import Decimal

import msgspec
import pytest

from discovery.analysis.statistics import beta_quantile
from discovery.domain.profiles import Score
from tests.analysis.sample_histories import (
    DAY,
    LOSS,
    NOW,
    PRIOR,
    SOL,
    WIN,
    Histories,
    buy,
    move_in,
    profiled,
    record,
    round_trip,
    sell,
)
from tests.analysis.scored_records import GOOD, part, scored, win_skill


def failed(result: Score) -> list[str]:
    assert (result.value is None) is bool(result.reason)
    return [gate.name for gate in result.gates if not gate.passed]


def test_a_good_record_is_scored_between_0_and_1_with_four_places() -> None:
    result = scored(record(*GOOD))
    assert failed(result) == []
    assert result.value is not None
    assert 0 < result.value < 1
    assert result.value.as_tuple().exponent == -4


def test_a_score_has_win_rate_sample_size_and_interval() -> None:
    result = scored(record(*GOOD))
    assert (result.n, result.win_rate, result.interval) == (
        12,
        Decimal("0.75"),
        (Decimal("0.5126"), Decimal("0.8954")),
    )
    assert 11 < result.n_eff < 12


def test_the_score_is_the_weighted_geometric_mean_of_its_known_parts() -> None:
    result = scored(record(*GOOD))
    weights = {"win skill": 0.25, "edge": 0.25, "consistency": 0.15, "breadth": 0.10}
    logs = sum(
        w * math.log(max(part(result, name).value or 0, 0.01))
        for name, w in weights.items()
    )
    assert result.value is not None
    assert float(result.value) == pytest.approx(math.exp(logs / 0.75), abs=5e-5)


def test_the_worked_example_of_the_docs_is_correct() -> None:
    """docs/scores.md derives these figures step by step."""
    result = scored(record(*GOOD * 3))
    values = {p.name: round(p.value, 3) for p in result.parts if p.value is not None}
    assert values == {
        "win skill": 0.367,
        "edge": 0.95,
        "consistency": 0.997,
        "breadth": 1.0,
    }
    assert (result.value, result.interval) == (
        Decimal("0.7035"),
        (Decimal("0.6167"), Decimal("0.8483")),
    )
    assert result.n_eff == Decimal("34.0602")
    assert part(result, "edge").note.startswith("return above +16.7% a cycle")
    assert scored(record(*GOOD)).value == Decimal("0.2891")


def test_parts_that_cannot_be_computed_are_left_out_and_named() -> None:
    result = scored(record(*GOOD))
    assert part(result, "not luck").value is part(result, "copyability").value is None
    assert result.provisional
    assert [words.split(":")[0] for words in result.provisional_because] == [
        "not luck",
        "copyability",
    ]


def test_a_score_of_five_to_nine_cycles_is_provisional_for_that_reason_too() -> None:
    seven, ten = scored(record(*GOOD[:7], apart=1.5)), scored(record(*GOOD[:10]))
    assert "fewer than 10 resolved cycles" in seven.provisional_because
    assert "fewer than 10 resolved cycles" not in ten.provisional_because
    assert seven.value is not None


def test_without_a_cohort_the_edge_is_left_out() -> None:
    lonely = msgspec.structs.replace(PRIOR, edges=())
    result = scored(record(*GOOD), prior=lonely)
    assert part(result, "edge").value is None
    assert result.value is not None


@pytest.mark.parametrize(
    ("histories", "facts", "gates"),
    [
        (
            record(*GOOD[:4], apart=9),
            {},
            ["resolved cycles", "distinct tokens", "active days"],
        ),
        (
            {
                f"mint{m}": [
                    e
                    for d in (0, 4)
                    for e in round_trip(WIN, days_ago=m + d + 1, tag=f"{m}{d}")
                ]
                for m in range(4)
            },
            {},
            ["distinct tokens"],
        ),
        (record(*GOOD, apart=0.5), {}, ["active days"]),
        (record(*GOOD), {"now": NOW + 14 * DAY}, ["last trade"]),
        (
            record(*GOOD),
            {"overhead": 100 * SOL},
            ["net profit", "net profit without the best token"],
        ),
        (
            record(*[SOL * 9 // 10] * 10, 3 * SOL, 9 * SOL),
            {"overhead": 2 * SOL},
            ["net profit without the best token"],
        ),
        (record(*GOOD), {"flags": ("dust", "creator")}, ["hard flags"]),
        (record(*GOOD), {"truncated": True}, ["whole history"]),
        (record(*GOOD), {"unreconciled": ["mint03"]}, ["reconciliation"]),
    ],
)
def test_each_failed_gate_leaves_a_wallet_unscored_with_the_reason(
    histories: Histories, facts: dict[str, object], gates: list[str]
) -> None:
    result = scored(histories, **facts)
    assert failed(result) == gates
    assert all(f"{gate}: " in result.reason for gate in gates)


def test_coverage_below_eighty_percent_leaves_a_wallet_unscored() -> None:
    gifted = [move_in(1_000, at=NOW - DAY), sell(1_000, 8 * SOL, at=NOW - DAY + 60)]
    result = scored({**record(*GOOD), "gift": gifted})
    assert failed(result) == ["coverage"]
    assert "at least 80%" in result.reason


def test_a_soft_flag_is_no_gate() -> None:
    assert (
        scored(record(*GOOD), flags=("dust", "sniper")).value
        == scored(record(*GOOD)).value
    )


def test_gates_pass_at_their_bounds() -> None:
    """5 cycles in 5 tokens, 7 active days, last trade 14 days ago."""
    histories = {
        f"m{place}": round_trip(WIN, days_ago=14 + place, hold=3_600, tag=f"{place}")
        for place in range(5)
    }
    histories["m4"] = [buy(10, SOL, at=NOW - 21 * DAY), *histories["m4"]]
    histories["m3"] = [buy(10, SOL, at=NOW - 20 * DAY), *histories["m3"]]
    profile, _ = profiled(histories)
    assert (profile.scored.counted, profile.scored.tokens, profile.active_days) == (
        5,
        5,
        7,
    )
    assert failed(scored(histories)) == []


def test_a_wallet_whose_only_winner_is_its_seed_has_no_score() -> None:
    histories = record(50 * SOL, *[SOL * 9 // 10] * 11)
    with_seed, without = scored(histories), scored(histories, seeds=("mint00",))
    assert with_seed.win_rate is not None
    assert with_seed.win_rate > 0
    assert (without.value, without.win_rate) == (None, 0)
    assert "net profit" in failed(without)


def test_win_skill_is_the_scaled_lower_bound_of_the_win_rate() -> None:
    bound = beta_quantile(0.05, 4 + 70, 6 + 30)
    assert win_skill([WIN] * 70 + [LOSS] * 30) == pytest.approx(
        (bound - 0.4) / 0.4, abs=1e-6
    )


def test_old_wins_count_less_than_new_ones() -> None:
    recent_wins = record(*[LOSS] * 10, *[WIN] * 10, apart=4)
    old_wins = record(*[WIN] * 10, *[LOSS] * 10, apart=4)
    new, old = (
        part(scored(recent_wins), "win skill").value,
        part(scored(old_wins), "win skill").value,
    )
    assert new is not None
    assert old is not None
    assert new > old


def test_the_score_fades_after_three_days_and_halves_in_fourteen_more() -> None:
    """The last trade is a day before NOW."""
    assert scored(record(*GOOD), now=NOW + 2 * DAY).freshness == 1
    assert scored(record(*GOOD), now=NOW + 9 * DAY).freshness == Decimal("0.7071")
    assert scored(record(*GOOD), now=NOW + 16 * DAY).freshness == Decimal("0.5")


def test_breadth_is_full_at_eight_equal_tokens() -> None:
    assert part(scored(record(*[WIN] * 8)), "breadth").value == 1
    assert part(scored(record(*[WIN] * 4)), "breadth").value == 0.5


def test_edge_is_the_rank_in_the_cohort_with_ties_counted_half() -> None:
    """With τ² = 0 every wallet's bound is the cohort's mean: 2 below, 2 equal, 4 in
    all.
    """
    level = msgspec.structs.replace(PRIOR, g0=0.5, tau2=0.0, edges=(0.1, 0.5, 0.5, 0.9))
    assert part(scored(record(*GOOD), prior=level), "edge").value == 0.5


def test_edge_follows_the_shrunk_lower_bound() -> None:
    """10 cycles of one age at +100 %: λ = 10/(10 + 6) = 0.625, 0.625·ln 2 - 0.375·0.2 -
    1.645·√(0.625·0.3/10).
    """
    bound = 0.625 * math.log(2) - 0.375 * 0.2 - 1.645 * math.sqrt(0.625 * 0.03)
    prior = msgspec.structs.replace(PRIOR, edges=(bound - 1e-6, bound + 1e-6))
    histories = {f"m{place}": round_trip(WIN, tag=str(place)) for place in range(10)}
    assert part(scored(histories, prior=prior), "edge").value == 0.5
