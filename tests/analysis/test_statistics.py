"""Statistics: published test vectors and properties."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.analysis.statistics import (
    effective_n,
    herfindahl,
    moments,
    to_decimal,
    weighted_mean,
    wilson_interval,
)


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


def test_moments_of_weighted_values() -> None:
    n, mean, spread = moments([1.0, 4.0], [2.0, 1.0])
    assert (n, mean, spread) == pytest.approx((9 / 5, 2.0, 2.0))


def test_values_without_their_weights_raise() -> None:
    with pytest.raises(ValueError, match="needs a weight"):
        weighted_mean([1.0, 2.0], [1.0])


def test_the_herfindahl_index_of_equal_gains_is_one_over_their_number() -> None:
    assert herfindahl([5, 5, 5, 5]) == Fraction(1, 4)


def test_losses_do_not_count_for_concentration() -> None:
    assert herfindahl([10, -90, 0]) == 1


def test_nothing_gained_has_no_concentration() -> None:
    assert herfindahl([-1, 0]) is None


def test_floats_round_half_to_even() -> None:
    assert [str(to_decimal(value, 1)) for value in (0.25, 0.75)] == ["0.2", "0.8"]
