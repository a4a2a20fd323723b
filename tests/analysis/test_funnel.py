"""The funnel in the order of its filters."""

from discovery.domain.funnel import ordered_funnel


def test_a_funnel_is_in_the_order_of_its_filters() -> None:
    stored = {
        "qualified": 2,
        "tokens": 3,
        "token_too_old": 1,
        "rejected_profit": 5,
        "candidates": 4,
        "early_buyers": 7,
    }
    assert [name for name, _ in ordered_funnel(stored)] == [
        "candidates",
        "token_too_old",
        "tokens",
        "early_buyers",
        "rejected_profit",
        "qualified",
    ]


def test_a_name_of_another_version_comes_last() -> None:
    assert ordered_funnel({"of_old": 1, "qualified": 2}) == [
        ("qualified", 2),
        ("of_old", 1),
    ]
