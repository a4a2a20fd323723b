"""Figures as people read them."""

import pytest

from discovery.domain.display import signed_pct_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4.12, "+4.1"),
        (-7.9, "−7.9"),
        (1234.56, "+1,234.6"),
        (0.0, "+0.0"),
        (-0.04, "+0.0"),
        (-0.06, "−0.1"),
    ],
)
def test_a_percentage_has_its_sign_and_nothing_has_no_minus(
    value: float, text: str
) -> None:
    assert signed_pct_text(value) == text
