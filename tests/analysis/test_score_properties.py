"""Properties of scores that hold for any wallet."""

import random
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.scores import compute_score
from tests.analysis.sample_histories import (
    DAY,
    LOSS,
    NOW,
    PRIOR,
    SOL,
    WIN,
    buy,
    move_in,
    move_out,
    profiled,
    record,
    sell,
)
from tests.analysis.scored_records import GOOD, scored, win_skill


def test_the_profit_of_a_seed_never_changes_the_score() -> None:
    small, large = record(SOL + SOL // 10, *GOOD), record(900 * SOL, *GOOD)
    assert scored(small, seeds=("mint00",)) == scored(large, seeds=("mint00",))


def test_five_of_five_rank_below_seventy_of_a_hundred() -> None:
    assert win_skill([WIN] * 5) < win_skill([WIN] * 70 + [LOSS] * 30)


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
