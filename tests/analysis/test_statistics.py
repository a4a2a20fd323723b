"""Statistics: published test vectors and properties."""

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.analysis.statistics import (
    age_weight,
    beta_quantile,
    effective_n,
    herfindahl,
    log_roi,
    probabilistic_sharpe,
    to_decimal,
    weighted_mean,
    wilson_interval,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("hits", "n", "low"),
    [
        (5, 5, 0.649),
        (7, 10, 0.442),
        (14, 20, 0.516),
        (35, 50, 0.585),
        (70, 100, 0.620),
        (3, 3, 0.526),
    ],
)
def test_the_lower_wilson_bound_matches_its_vectors(
    hits: int, n: int, low: float
) -> None:
    assert round(wilson_interval(hits, n)[0], 3) == low


@pytest.mark.parametrize(
    ("wins", "n", "low"),
    [
        (3, 3, 0.315),
        (5, 5, 0.390),
        (7, 10, 0.368),
        (14, 20, 0.451),
        (35, 50, 0.547),
        (70, 100, 0.598),
    ],
)
def test_the_five_percent_quantile_after_a_beta_4_6_prior_matches_its_vectors(
    wins: int, n: int, low: float
) -> None:
    assert round(beta_quantile(0.05, 4 + wins, 6 + n - wins), 3) == low


def test_the_beta_quantile_of_a_uniform_is_the_probability_itself() -> None:
    assert beta_quantile(0.05, 1, 1) == pytest.approx(0.05, abs=1e-8)


@pytest.mark.parametrize(
    ("p", "a", "b"), [(0, 1, 1), (1, 1, 1), (0.5, 0, 1), (0.5, 1, -1)]
)
def test_a_beta_quantile_outside_its_domain_raises(
    p: float, a: float, b: float
) -> None:
    with pytest.raises(ValueError, match="positive parameters"):
        beta_quantile(p, a, b)


def test_an_interval_without_a_trial_raises() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        wilson_interval(0, 0)


@given(st.integers(1, 500), st.data())
def test_a_wilson_interval_contains_its_rate_and_stays_within_0_and_1(
    n: int, data
) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


def test_wilson_is_symmetric() -> None:
    low, high = wilson_interval(3, 10)
    assert wilson_interval(7, 10) == pytest.approx((1 - high, 1 - low))


def test_a_result_weighs_half_after_thirty_days() -> None:
    assert age_weight(30 * DAY) == 0.5
    assert age_weight(60 * DAY) == 0.25


def test_a_result_in_the_future_weighs_no_more_than_a_current_one() -> None:
    assert age_weight(-5 * DAY) == age_weight(0) == 1


def test_equal_weights_keep_the_sample_size() -> None:
    assert effective_n([0.25] * 12) == pytest.approx(12)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=40))
def test_unequal_weights_never_raise_the_sample_size(weights: list[float]) -> None:
    assert 1 - 1e-9 <= effective_n(weights) <= len(weights) + 1e-9


def test_without_weights_the_effective_sample_size_is_zero() -> None:
    assert effective_n([]) == 0


def test_the_effective_sample_size_of_weights_one_and_a_half() -> None:
    assert effective_n([1, 0.5]) == pytest.approx(2.25 / 1.25)


def test_the_weighted_mean_follows_the_weights() -> None:
    assert weighted_mean([1, 0], [3, 1]) == 0.75


def test_psr_of_a_worked_example() -> None:
    """Returns 1, 2, 3, 6: SR 3/√(14/3) = 1.38873, γ₃ 4.5/3.5^1.5 = 0.68724, γ₄
    24.5/3.5² = 2, so Φ(1.38873/0.41943).
    """
    assert probabilistic_sharpe([1, 2, 3, 6]) == pytest.approx(0.999535, abs=1e-6)


def test_psr_is_one_half_if_the_mean_is_zero() -> None:
    assert probabilistic_sharpe([-0.3, -0.1, 0.1, 0.3]) == pytest.approx(0.5)


def test_psr_grows_with_the_length_of_the_same_record() -> None:
    once, twice = (
        probabilistic_sharpe([0.5, -0.2, 0.3, -0.1]),
        probabilistic_sharpe([0.5, -0.2, 0.3, -0.1] * 2),
    )
    assert once is not None
    assert twice is not None
    assert once < twice


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.2], [0.2, 0.2, 0.2]])
def test_psr_of_too_few_or_equal_returns_is_undefined(returns: list[float]) -> None:
    assert probabilistic_sharpe(returns) is None


@given(st.lists(st.floats(-4, 2), min_size=3, max_size=30), st.integers(0, 2**32))
def test_psr_does_not_depend_on_the_order(returns: list[float], seed: int) -> None:
    shuffled = list(returns)
    random.Random(seed).shuffle(shuffled)
    assert probabilistic_sharpe(shuffled) == probabilistic_sharpe(returns)


def test_the_herfindahl_index_of_equal_gains_is_one_over_their_number() -> None:
    assert herfindahl([5, 5, 5, 5]) == Fraction(1, 4)


def test_losses_do_not_count_for_concentration() -> None:
    assert herfindahl([10, -90, 0]) == 1


def test_nothing_gained_has_no_concentration() -> None:
    assert herfindahl([-1, 0]) is None


def test_log_roi_is_limited_to_minus_99_and_plus_1000_percent() -> None:
    assert log_roi(-5, 1) == log_roi(-99, 100)
    assert log_roi(500, 1) == log_roi(10, 1)


def test_floats_round_half_to_even() -> None:
    assert [str(to_decimal(value, 1)) for value in (0.25, 0.75)] == ["0.2", "0.8"]
