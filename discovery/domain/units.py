"""Lamports, raw token units and exact ratios. Money is never a float: amounts are
`int`, ratios are `Fraction`.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated, Final

from msgspec import Meta

Lamports = Annotated[int, Meta(extra={"unit": "lamports"})]
"""An amount of lamports. As RawUnits: an `int` in Python, text in JSON, whose numbers
lose digits beyond 2⁵³.
"""
RawUnits = Annotated[int, Meta(extra={"unit": "raw units"})]
"""An amount of a token in its smallest unit."""

LAMPORTS_PER_SOL: Final = 10**9


def round_half_even(value: Fraction) -> int:
    """Return the nearest integer. Ties go to the even neighbour, so that rounding does
    not drift.
    """
    return round(value)


def round_if_known(value: Fraction | None) -> int | None:
    """Return the nearest integer as `round_half_even` does; None stays None."""
    if value is None:
        return None
    return round_half_even(value)


def fraction_to_decimal(value: Fraction, places: int) -> Decimal:
    """Return `value` rounded half-even to `places` digits after the point, without
    intermediate rounding.
    """
    scaled = round_half_even(value * 10**places)
    with localcontext() as context:
        # The default precision of 28 digits would round a second time.
        context.prec = max(28, len(str(abs(scaled))) + places)
        return Decimal(scaled).scaleb(-places)


def lamports_to_sol(lamports: int) -> Decimal:
    """Return SOL as an exact decimal: 1 SOL = 1,000,000,000 lamports."""
    with localcontext() as context:
        context.prec = 60
        return Decimal(lamports).scaleb(-9)


def usd_units_to_lamports(units: int, decimals: int, usd_per_sol: Decimal) -> Fraction:
    """Return an amount of a stable in lamports at `usd_per_sol`, exact.

    units: raw amount of a token that is worth one USD. decimals: those of the token.
    Raises ValueError if the price is not positive. An unknown price is never taken for
    zero.
    """
    if usd_per_sol <= 0:
        raise ValueError("a SOL/USD price must be positive")
    return Fraction(units * LAMPORTS_PER_SOL, 10**decimals) / Fraction(usd_per_sol)
