"""Intervals and claims keep their promises in simulated records: a small version of
`python -m benchmarks report`.
"""

import pytest

from benchmarks.report import Shape, check, true_lift

SMALL = Shape(
    "small", found=(10, 20), control=(20, 40), tokens=(40, 80), trades_a_wallet=8
)


@pytest.fixture(scope="module")
def small():
    """60 records with daily looks."""
    return check(SMALL, 60, seed=5)


def test_the_interval_of_one_look_holds_the_truth_nine_times_in_ten(small) -> None:
    assert 0.82 <= small.coverage <= 0.97


def test_the_interval_of_one_look_does_not_hold_at_daily_looks(small) -> None:
    assert small.naive_coverage < 0.85


def test_the_sequential_bounds_hold_at_daily_looks(small) -> None:
    assert small.sequential_coverage >= 0.9


def test_without_skill_a_month_of_daily_looks_claims_hardly_ever() -> None:
    assert check(SMALL.without_skill, 40, seed=6).claims <= 0.1


def test_a_large_skill_is_claimed_within_a_month() -> None:
    assert check(SMALL._replace(skill=1.5), 20, seed=7).claims >= 0.8


def test_without_skill_the_true_lift_is_zero() -> None:
    assert true_lift(SMALL.without_skill) == 0
    assert true_lift(SMALL) == pytest.approx(0.311, abs=0.002)
