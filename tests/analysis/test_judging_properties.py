"""What a judgement must hold for any wallet: unsold losers count, size counts, luck is
not skill, and the follower is judged, not the leader.
"""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.evidence import Evidence
from discovery.analysis.judging import judge
from discovery.analysis.population import estimate_prior
from discovery.domain.judgements import Judgement, Verdict
from tests.analysis.traders import (
    AS_OF,
    DAY,
    SOL,
    UNITS,
    Events,
    cohort,
    event,
    evidence_of,
    history,
    is_win,
    judged,
    market,
    trip,
    trips,
)

LOSING = trips([0.5] * 14 + [-0.6] * 26, 5)
"""Loses 21.5 % a trade."""
LOSERS = [mint for mint, events in LOSING.items() if not is_win(events)]
SWINGING = trips([1.5] * 30 + [-0.4] * 30, 6, step_days=1.1)


@pytest.fixture(scope="module")
def members() -> list[Evidence]:
    """160 wallets that win 35 % of their trades."""
    return cohort(0.35)


def _without_sales_of_losers(*last: str) -> dict[str, Events]:
    """Return LOSING with its losers unsold; `last`: what happens to them instead."""
    kept = {}
    for mint, events in LOSING.items():
        kept[mint] = events
        if mint in LOSERS:
            bought_at = events[0].time
            moves = [event(mint, kind, bought_at + 900) for kind in last]
            kept[mint] = [events[0], *moves]
    return kept


def test_a_habit_that_loses_a_fifth_of_each_trade_is_avoided(
    members: list[Evidence],
) -> None:
    judgement = judged(history(LOSING.values()), members)
    assert judgement.verdict is Verdict.AVOID
    assert judgement.score is not None
    assert judgement.score < 0.1


@pytest.mark.parametrize(
    ("last", "bag"),
    [
        ((), None),
        ((), SOL * 11 // 100),
        (("transfer_out",), None),
        (("burn",), None),
    ],
    ids=["held, value unknown", "held, worth 11 %", "sent away", "burnt"],
)
def test_not_selling_losers_never_helps(
    members: list[Evidence], last: tuple[str, ...], bag: int | None
) -> None:
    sold = judged(history(LOSING.values()), members)
    kept = _without_sales_of_losers(*last)
    holdings = dict.fromkeys(LOSERS, bag)
    bags = judged(history(kept.values(), holdings=holdings), members)
    assert bags.verdict is not Verdict.FOLLOW
    assert _score(bags) <= _score(sold) + 0.01


def test_a_purchase_of_dust_does_not_revive_a_dead_bag(
    members: list[Evidence],
) -> None:
    sold = judged(history(LOSING.values()), members)
    kept = _without_sales_of_losers()
    for mint in LOSERS:
        at = AS_OF - 3 * DAY
        kept[mint].append(
            event(mint, "buy", at, units=UNITS // 10_000, value=100_000, fees=5_000)
        )
    holdings = dict.fromkeys(LOSERS)
    bags = judged(history(kept.values(), holdings=holdings), members)
    assert _score(bags) <= _score(sold) + 0.01


def test_tokens_of_this_week_count_neither_won_nor_lost_nor_held(
    members: list[Evidence],
) -> None:
    mature = trips([0.6, -0.5, 0.6, -0.4, 0.6, -0.4, 0.6, -0.5] * 2, 7, step_days=3)
    profits = [0.6, -0.9, -0.9, 0.6, -0.9, 0.6, -0.9, 0.6, -0.9, 0.6, -0.9]
    young = {
        f"y{place}": trip(f"y{place}", 0.3 + 0.5 * place, profit)
        for place, profit in enumerate(profits)
    }
    held = {
        mint: events if is_win(events) else events[:1] for mint, events in young.items()
    }
    alone = judged(history(mature.values()), members)
    with_sold = judged(history([*mature.values(), *young.values()]), members)
    with_held = judged(
        history(
            [*mature.values(), *held.values()],
            holdings=dict.fromkeys(held, SOL // 100),
        ),
        members,
    )
    assert alone == with_sold == with_held


def test_the_size_of_gains_counts_more_than_their_number(
    members: list[Evidence],
) -> None:
    pennies = trips([0.05] * 54 + [-0.3] * 6, 3, step_days=1.1)
    payoffs = trips([3.0] * 18 + [-0.5] * 42, 3, step_days=1.1)
    small = judged(history(pennies.values()), members)
    large = judged(history(payoffs.values()), members)
    assert large.verdict is Verdict.FOLLOW
    assert _score(large) > _score(small)
    assert _edge(large) > _edge(small) + 10


def test_a_record_scores_alike_among_weak_and_strong_wallets() -> None:
    record = history(trips([0.6] * 25 + [-0.5] * 11, 3, step_days=1.6).values())
    weak, strong = judged(record, cohort(0.2, 2)), judged(record, cohort(0.6, 3))
    assert abs(_score(weak) - _score(strong)) <= 0.25


def test_the_best_of_losers_is_not_followed() -> None:
    record = history(trips([0.3] * 21 + [-0.35] * 19, 2).values())
    judgement = judged(record, cohort(0.05, 4))
    assert judgement.verdict is not Verdict.FOLLOW
    assert _score(judgement) < 0.85


def test_sixty_round_trips_in_one_token_say_no_more_than_one(
    members: list[Evidence],
) -> None:
    profits = [0.3, 0.35, -0.2, 0.3, -0.2, 0.4, -0.25, 0.3]
    few = [
        trip(f"n{place}", 9 + 2 * place, profit) for place, profit in enumerate(profits)
    ]
    many: Events = []
    for number in range(60):
        many += trip("one", 70 - number, 0.3, hold_seconds=600)
    once = judged(history([*few, trip("one", 12, 0.3)]), members)
    often = judged(history([*few, many]), members)
    assert once.tokens == often.tokens == 9
    assert abs(_score(once) - _score(often)) <= 0.10


@pytest.mark.parametrize(
    "profits",
    [[0.6, -0.4, 1.2, -0.7, 0.1, 0.9, -0.2], [0.5] * 6],
    ids=["mixed", "six of six won"],
)
def test_a_wallet_alone_is_not_its_own_ruler(profits: list[float]) -> None:
    judgement = judged(history(trips(profits, 4).values(), arm="found"))
    assert judgement.verdict is not Verdict.FOLLOW


def test_a_leader_who_can_be_followed_is_followed(members: list[Evidence]) -> None:
    judgement = judged(history(_quick_doublings(1.05)), members)
    assert judgement.verdict is Verdict.FOLLOW


def test_a_leader_whom_nobody_can_follow_is_not_followed(
    members: list[Evidence],
) -> None:
    judgement = judged(history(_quick_doublings(2.05)), members)
    assert judgement.verdict is Verdict.AVOID
    assert _edge(judgement) < 0 < (judgement.leader_edge_pct or 0)


def test_late_prices_of_its_own_count_in_a_run_with_few_wallets() -> None:
    seen_late = _quick_doublings(2.05)[:8]
    seen_behind = [
        [msgspec.structs.replace(each, pool_later=None) for each in events]
        for events in _quick_doublings(2.05)[8:]
    ]
    insider = evidence_of(history([*seen_late, *seen_behind]))
    insiders = [msgspec.structs.replace(insider, wallet=f"i{n}") for n in range(4)]
    judgements, population = judge(insiders)
    assert population.prior.steps[1] is None
    assert not {each.verdict for each in judgements} & {Verdict.FOLLOW, Verdict.WATCH}


def _quick_doublings(late_price_sol: float) -> list[Events]:
    """Return purchases at 1 SOL that are sold for 1.9 a minute later, in a market that
    costs `late_price_sol` some seconds after the purchase.
    """
    return [
        [
            event(
                f"q{place}",
                "buy",
                AS_OF - (9 + 2 * place) * DAY - 60,
                value=SOL,
                pool=market(1.02),
                later=market(late_price_sol),
            ),
            event(
                f"q{place}",
                "sell",
                AS_OF - (9 + 2 * place) * DAY,
                value=SOL * 19 // 10,
                pool=market(1.9),
                later=market(1.88),
            ),
        ]
        for place in range(30)
    ]


def test_losers_that_left_at_an_unknown_price_leave_the_wallet_unknown(
    members: list[Evidence],
) -> None:
    judgement = judged(history(_without_sales_of_losers("disposal").values()), members)
    assert judgement.verdict is Verdict.NOT_KNOWN
    assert judgement.score is None
    assert judgement.known_share < 0.8


def test_three_great_tokens_are_not_known_yet(members: list[Evidence]) -> None:
    record = history([trip(f"t{place}", 9 + place, 2.0) for place in range(3)])
    assert judged(record, members).verdict is Verdict.NOT_KNOWN


def test_one_lucky_token_is_not_followed(members: list[Evidence]) -> None:
    rest = trips([-0.3] * 10 + [0.2] * 8, 4)
    judgement = judged(history([*rest.values(), trip("hit", 20, 19.0)]), members)
    assert judgement.verdict is not Verdict.FOLLOW
    assert judgement.depends_on_one_token or _score(judgement) <= 0.5


def test_wins_of_dust_are_no_evidence(members: list[Evidence]) -> None:
    dust = [
        trip(f"d{place}", 9 + place / 2, 3.0, put_in=100_000) for place in range(80)
    ]
    plain = judged(history(LOSING.values()), members)
    assert judged(history([*LOSING.values(), *dust]), members) == plain


def test_ten_sales_of_a_tenth_are_one_sale(members: list[Evidence]) -> None:
    parts = [
        [
            bought,
            *(
                event(
                    bought.mint,
                    "sell",
                    sold.time + number,
                    units=UNITS // 10,
                    value=(sold.value_lamports or 0) // 10,
                    fees=200_000,
                )
                for number in range(10)
            ),
        ]
        for bought, sold in SWINGING.values()
    ]
    whole = judged(history(SWINGING.values()), members)
    split = judged(history(parts), members)
    assert split.tokens == whole.tokens
    assert abs(_edge(split) - _edge(whole)) < 6


def test_seed_tokens_are_no_evidence(members: list[Evidence]) -> None:
    seed = next(mint for mint, events in SWINGING.items() if is_win(events))
    rest = {mint: events for mint, events in SWINGING.items() if mint != seed}
    with_seed = judged(history(SWINGING.values(), seeds=[seed]), members)
    assert with_seed == judged(history(rest.values()), members)


def test_a_hard_flag_excludes(members: list[Evidence]) -> None:
    judgement = judged(history(SWINGING.values(), flags=["bundle", "sniper"]), members)
    assert judgement.verdict is Verdict.EXCLUDED
    assert judgement.score is judgement.edge_pct is judgement.q_value is None
    assert judgement.reason == "bundle"


def test_wallets_outside_the_sample_change_nobody(members: list[Evidence]) -> None:
    strangers = [
        evidence_of(history(trips([2.0] * 30, seed).values(), f"stranger{seed}"))
        for seed in range(20)
    ]
    assert estimate_prior([*members, *strangers]) == estimate_prior(members)


def test_the_order_of_wallets_does_not_matter(members: list[Evidence]) -> None:
    shuffled = random.Random(3).sample(members, len(members))
    ordered, _ = judge(members)
    others, _ = judge(shuffled)
    assert sorted(others, key=_name) == sorted(ordered, key=_name)


def test_with_its_prior_a_wallet_alone_scores_as_in_its_list(
    members: list[Evidence],
) -> None:
    judgements, population = judge(members)
    alone, _ = judge(members[7:8], population.prior)
    assert _score(alone[0]) == pytest.approx(_score(judgements[7]), abs=2e-6)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-0.95, 3.0), min_size=5, max_size=30),
    st.integers(0, 29),
    st.floats(0.01, 2.0),
)
def test_a_better_sale_raises_the_leaders_edge(
    profits: list[float], place: int, more: float
) -> None:
    place %= len(profits)
    before = _record(profits)
    profits[place] += more
    after = _record(profits)
    assert (after.leader_edge_pct or 0) > (before.leader_edge_pct or 0)


def _record(profits: list[float]) -> Judgement:
    events = [
        trip(f"r{place}", 9 + place, profit) for place, profit in enumerate(profits)
    ]
    return judged(history(events, arm="found"))


@pytest.mark.parametrize("tokens", [100, 400, 3_000])
@pytest.mark.parametrize("profit", [-0.999, -0.9])
def test_a_wallet_with_any_number_of_dead_tokens_is_avoided_and_harms_nobody(
    tokens: int, profit: float, members: list[Evidence]
) -> None:
    before, _ = judge(members)
    losses = [trip(f"d{place}", 9 + place / 50, profit) for place in range(tokens)]
    dead = evidence_of(history(losses, arm="found"))
    judgements, population = judge([*members, dead])
    assert judgements[-1].verdict is Verdict.AVOID
    assert all(math.isfinite(cell) for cell in population.prior.mass["found"])
    for judgement, earlier in zip(judgements, before, strict=False):
        assert (judgement.score is None) == (earlier.score is None)
    alone, _ = judge([dead], population.prior)
    assert alone[0].verdict is Verdict.AVOID


def test_with_its_prior_a_wallet_alone_has_the_q_value_of_its_list(
    members: list[Evidence],
) -> None:
    together, population = judge(members)
    for evidence, judgement in zip(members, together, strict=True):
        (alone,), _ = judge([evidence], population.prior)
        assert (alone.q_value is None) == (judgement.q_value is None)
        if judgement.q_value is not None:
            assert alone.q_value == pytest.approx(judgement.q_value, abs=2e-6)
        assert alone.verdict is judgement.verdict


def _score(judgement: Judgement) -> float:
    """Return the score; without one the wallet is below all others."""
    return -1.0 if judgement.score is None else judgement.score


def _edge(judgement: Judgement) -> float:
    return -100.0 if judgement.edge_pct is None else judgement.edge_pct


def _name(judgement: Judgement) -> str:
    return judgement.wallet
