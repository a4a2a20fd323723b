"""Student's t distribution: published quantiles and limits."""

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.analysis.student import t_quantile, t_tail


@pytest.mark.parametrize(
    ("tail", "degrees", "quantile"),
    [
        (0.05, 1, 6.3138),
        (0.025, 1, 12.7062),
        (0.05, 9, 1.8331),
        (0.005, 30, 2.7500),
        (0.05, 120, 1.6577),
        (0.0005, 5, 6.8688),
    ],
)
def test_quantiles_match_the_printed_table(
    tail: float, degrees: float, quantile: float
) -> None:
    assert t_quantile(tail, degrees) == pytest.approx(quantile, abs=6e-5)


@given(st.floats(1e-12, 0.4999), st.floats(1.5, 500))
def test_the_tail_beyond_a_quantile_is_the_one_asked_for(
    tail: float, degrees: float
) -> None:
    assert t_tail(t_quantile(tail, degrees), degrees) == pytest.approx(tail, rel=1e-6)


def test_many_degrees_of_freedom_are_a_normal_distribution() -> None:
    assert t_quantile(0.05, 1e7) == pytest.approx(NormalDist().inv_cdf(0.95), abs=1e-5)


def test_half_of_the_probability_is_above_zero() -> None:
    assert t_quantile(0.5, 7) == 0


@pytest.mark.parametrize(("tail", "degrees"), [(0, 5), (0.6, 5), (0.05, 0)])
def test_a_quantile_that_does_not_exist_raises(tail: float, degrees: float) -> None:
    with pytest.raises(ValueError, match=r"tail|positive"):
        t_quantile(tail, degrees)
