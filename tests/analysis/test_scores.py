"""Scores: gates, parts, the prior, and properties that hold for any wallet."""

import math
import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.cohort import estimate_prior
from discovery.analysis.scores import compute_score
from discovery.analysis.statistics import beta_quantile
from discovery.domain.profiles import Cycle, Part, Prior, Score
from tests.analysis.sample_histories import (
    DAY,
    NOW,
    PRIOR,
    SOL,
    Histories,
    buy,
    move_in,
    move_out,
    profiled,
    record,
    round_trip,
    sell,
)

WIN, LOSS = 2 * SOL, SOL // 2
GOOD = (WIN, WIN, LOSS, 3 * SOL, WIN, SOL * 3 // 2, LOSS, WIN, WIN, 3 * SOL, WIN, LOSS)


def scored(
    histories: Histories,
    *,
    seeds: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    prior: Prior = PRIOR,
    **facts,
) -> Score:
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


def test_the_profit_of_a_seed_never_changes_the_score() -> None:
    small, large = record(SOL + SOL // 10, *GOOD), record(900 * SOL, *GOOD)
    assert scored(small, seeds=("mint00",)) == scored(large, seeds=("mint00",))


def test_five_of_five_rank_below_seventy_of_a_hundred() -> None:
    assert win_skill([WIN] * 5) < win_skill([WIN] * 70 + [LOSS] * 30)


def test_win_skill_is_the_scaled_lower_bound_of_the_win_rate() -> None:
    bound = beta_quantile(0.05, 4 + 70, 6 + 30)
    assert win_skill([WIN] * 70 + [LOSS] * 30) == pytest.approx(
        (bound - 0.4) / 0.4, abs=1e-6
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 40), st.integers(1, 40))
def test_turning_a_loss_into_a_win_never_lowers_win_skill(
    wins: int, losses: int
) -> None:
    before, after = (
        [WIN] * wins + [LOSS] * losses,
        [WIN] * (wins + 1) + [LOSS] * (losses - 1),
    )
    assert win_skill(after) >= win_skill(before)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(2, 4))
def test_more_cycles_at_the_same_winning_rate_never_lower_win_skill(
    wins: int, losses: int, times: int
) -> None:
    once = [WIN] * (wins + losses + 1) + [LOSS] * losses
    assert win_skill(once * times) >= win_skill(once)


def test_more_cycles_at_the_same_rate_raise_win_skill() -> None:
    assert (
        win_skill([WIN] * 7 + [LOSS] * 3)
        < win_skill([WIN] * 14 + [LOSS] * 6)
        < win_skill([WIN] * 35 + [LOSS] * 15)
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


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32))
def test_the_score_does_not_depend_on_the_order_of_cycles_and_flags(seed: int) -> None:
    histories = record(*GOOD)
    profile, cycles = profiled(histories)
    shuffled, mints = list(cycles), list(histories)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(mints)
    reordered, _ = profiled({mint: histories[mint] for mint in mints})
    assert compute_score(
        reordered, shuffled, PRIOR, seeds=set(), flags=["dust", "sniper"], now=NOW
    ) == compute_score(
        profile, cycles, PRIOR, seeds=set(), flags=["sniper", "dust"], now=NOW
    )


@settings(deadline=None, max_examples=20)
@given(st.decimals(Decimal("0.01"), Decimal(10_000), places=2))
def test_the_score_does_not_depend_on_the_price_of_sol(usd: Decimal) -> None:
    histories = record(*GOOD)
    assert (
        scored(histories, usd=usd)
        == scored(histories, usd=Decimal(150))
        == scored(histories, usd=None)
    )


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(SOL * 5 // 4, 4 * SOL), min_size=9, max_size=14),
    st.integers(0, SOL * 9 // 10),
)
def test_a_loser_transferred_out_scores_no_higher_than_a_sold_one(
    winners: list[int], proceeds: int
) -> None:
    histories = record(*winners)
    bought = buy(1_000, SOL, at=NOW - 3_600)
    sold = scored({**histories, "loser": [bought, sell(1_000, proceeds, at=NOW - 60)]})
    moved = scored({**histories, "loser": [bought, move_out(1_000, at=NOW - 60)]})
    unsold = scored({**histories, "loser": [bought]})
    assert sold.value is not None
    assert moved.value is not None
    assert unsold.value is not None
    assert moved.value <= sold.value
    assert moved.value < unsold.value


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 10**9), st.integers(1, 3 * SOL))
def test_units_received_and_sold_do_not_raise_a_score(
    received: int, brought: int
) -> None:
    histories = record(*GOOD)
    gift = [move_in(received, at=NOW - DAY), sell(received, brought, at=NOW - DAY + 60)]
    plain, gifted = scored(histories), scored({**histories, "gift": gift})
    assert gifted.value is None or gifted.value == plain.value
    assert (gifted.n, gifted.win_rate) == (plain.n, plain.win_rate)


def test_a_sale_in_clips_scores_like_a_sale_at_once() -> None:
    whole = record(*GOOD)
    clips = {
        mint: [
            first,
            *(
                sell(
                    100,
                    last.value_lamports / 10,
                    at=last.block_time,
                    tag=f"{mint}{clip}",
                )
                for clip in range(10)
            ),
        ]
        for mint, (first, last) in whole.items()
    }
    assert scored(clips) == scored(whole)


def cohort(wallets: int, seed: int = 5) -> dict[str, list[Cycle]]:
    """Return cycles of wallets whose true win rates differ between 20 % and 80 %."""
    dice = random.Random(seed)
    samples = {}
    for wallet in range(wallets):
        skill = dice.uniform(0.2, 0.8)
        proceeds = [
            WIN if dice.random() < skill else LOSS for _ in range(dice.randint(5, 30))
        ]
        samples[f"w{wallet:02}"] = profiled(record(*proceeds, apart=0.5))[1]
    return samples


def test_a_cohort_of_fewer_than_ten_wallets_falls_back_to_beta_4_6() -> None:
    prior = estimate_prior(cohort(9), NOW)
    assert (prior.alpha0, prior.beta0, prior.edges, prior.wallets) == (4, 6, (), 9)


def test_wallets_without_a_result_do_not_make_a_cohort() -> None:
    samples = cohort(9) | {f"idle{place}": [] for place in range(20)}
    assert estimate_prior(samples, NOW).wallets == 9


def test_the_prior_measures_how_the_wallets_of_a_cohort_differ() -> None:
    """Uniform win rates between 20 % and 80 % have mean 0.5 and variance 0.03: α₀ + β₀
    = 0.25 / 0.03 - 1 = 7.3.
    """
    prior = estimate_prior(cohort(300), NOW)
    assert prior.alpha0 / (prior.alpha0 + prior.beta0) == pytest.approx(0.5, abs=0.03)
    assert prior.alpha0 + prior.beta0 == pytest.approx(7.3, rel=0.3)
    assert prior.tau2 == pytest.approx(0.03 * math.log(4) ** 2, rel=0.35)
    assert prior.sigma2 == pytest.approx(0.22 * math.log(4) ** 2, rel=0.15)
    assert len(prior.edges) == 300


def test_wallets_that_differ_by_luck_alone_give_the_strongest_prior() -> None:
    same = {
        f"w{place}": profiled(record(*([WIN, LOSS] * 6), apart=0.5))[1]
        for place in range(12)
    }
    prior = estimate_prior(same, NOW)
    assert prior.alpha0 + prior.beta0 == pytest.approx(40)
    assert prior.tau2 == 0


def test_wallets_that_always_win_or_always_lose_give_the_weakest_prior() -> None:
    samples = {
        f"w{place}": profiled(record(*[WIN if place % 2 else LOSS] * 8))[1]
        for place in range(12)
    }
    prior = estimate_prior(samples, NOW)
    assert (prior.alpha0, prior.beta0) == (pytest.approx(2), pytest.approx(2))


@pytest.mark.parametrize(("proceeds", "mean"), [(WIN, 0.75), (LOSS, 0.05)])
def test_the_prior_of_a_cohort_with_one_outcome_is_limited(
    proceeds: int, mean: float
) -> None:
    samples = {f"w{place}": profiled(record(*[proceeds] * 6))[1] for place in range(12)}
    prior = estimate_prior(samples, NOW)
    assert prior.alpha0 / (prior.alpha0 + prior.beta0) == pytest.approx(mean)


def test_one_cycle_per_wallet_gives_the_fallback_strength() -> None:
    samples = {
        f"w{place:02}": profiled(record(WIN if place % 2 else LOSS))[1]
        for place in range(12)
    }
    prior = estimate_prior(samples, NOW)
    assert prior.alpha0 + prior.beta0 == pytest.approx(10)


def test_the_order_of_wallets_and_cycles_does_not_change_the_prior() -> None:
    samples = cohort(30)
    reordered = {
        wallet: list(reversed(cycles)) for wallet, cycles in reversed(samples.items())
    }
    assert estimate_prior(reordered, NOW) == estimate_prior(samples, NOW)


def test_a_prior_is_the_same_after_json() -> None:
    prior = estimate_prior(cohort(12), NOW)
    plain = msgspec.json.decode(msgspec.json.encode(prior.to_dict()))
    assert Prior.from_dict(plain) == prior


def test_a_stored_prior_with_a_missing_field_is_rejected() -> None:
    plain = PRIOR.to_dict()
    del plain["edges"]
    with pytest.raises(msgspec.ValidationError, match="edges"):
        Prior.from_dict(plain)
