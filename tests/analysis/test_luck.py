"""How often luck alone does as well."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.analysis.luck import sign_test


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-5, 5), max_size=40))
def test_p_values_are_probabilities(values: list[float]) -> None:
    assert 0 < sign_test(values) <= 1


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.floats(-3, 3).filter(lambda value: abs(value) > 0.01),
        min_size=13,
        max_size=17,
    )
)
def test_the_saddle_point_is_near_the_exact_p_value(values: list[float]) -> None:
    sizes = [abs(value) for value in values]
    sums = [0.0]
    for size in sizes:
        sums = [each + sign for each in sums for sign in (size, -size)]
    reached = sum(each >= sum(values) - 1e-9 for each in sums) / len(sums)
    assert sign_test(values) == pytest.approx(reached, abs=0.03)
