"""Parameters: every bound, in the same words everywhere."""

from decimal import Decimal
from typing import Any

import pytest

from discovery.domain.run_params import (
    NUMBER_SPECS,
    InvalidParams,
    Params,
    check_params,
)


@pytest.mark.parametrize("name", NUMBER_SPECS)
def test_both_ends_of_a_bound_are_allowed(name: str) -> None:
    for edge in (NUMBER_SPECS[name].min, NUMBER_SPECS[name].max):
        assert getattr(check_params({name: edge}), name) == edge


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("min_price_change_pct", 1000, "1,000 is not between 0 and 999.99 %"),
        ("min_price_change_pct", -1, "-1 is not between 0 and 999.99 %"),
        ("max_token_age_hours", 0, "0 is not between 1 and 168 h"),
        ("max_token_age_hours", "1.5", "1.5 is not a whole number"),
        ("early_window_minutes", 121, "121 is not between 5 and 120 min"),
        ("min_profit_pct", "NaN", "NaN is not between 0 and 500 %"),
        ("min_profit_pct", "12.345", "12.345 has more than 2 digits after the point"),
        ("max_tokens", "many", "'many' is not a number"),
        ("max_tokens", True, "True is not a number"),
        ("max_tokens", None, "None is not a number"),
        ("max_requests_per_run", 99, "99 is not between 100 and 10,000,000 calls"),
        ("colour", "red", "no such parameter"),
    ],
)
def test_a_bad_value_is_named_with_its_bound(name: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        check_params({name: value})
    assert refused.value.problems == {name: words}


def test_every_bad_value_is_told_at_once() -> None:
    with pytest.raises(InvalidParams) as refused:
        check_params({"max_tokens": 0, "min_profit_pct": 501, "min_volume_usd": 1})
    assert set(refused.value.problems) == {"max_tokens", "min_profit_pct"}


def test_values_go_over_the_base_and_leave_the_rest() -> None:
    base = Params(max_tokens=7)
    assert check_params({"min_profit_pct": "12.5"}, base) == Params(
        max_tokens=7, min_profit_pct=Decimal("12.50")
    )


def test_no_limit_of_requests_is_a_value() -> None:
    assert (
        check_params(
            {"max_requests_per_run": None}, Params(max_requests_per_run=500)
        ).max_requests_per_run
        is None
    )
