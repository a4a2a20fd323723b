"""What a holding would bring if it were sold now, in the token's deepest pool."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from discovery.domain.units import LAMPORTS_PER_SOL, round_half_even

POOL_FEE: Final = Fraction(3, 1000)
MIN_LIQUIDITY_USD: Final = 500
"""Below this a pool is no exit: whoever sells into it takes what is left."""


def liquidation_value_lamports(
    units: int, decimals: int, price_usd: Decimal | None, liquidity_usd: Decimal | None, usd_per_sol: Decimal
) -> int:
    """Lamports for `units` raw units sold at once into a constant-product pool (operators.md part (c)).

    Rq·q(1-φ) / (Rb + q(1-φ)), both reserves worth half of `liquidity_usd`. No price or too thin a pool: nothing.
    Raises ValueError where SOL has no price.
    """
    if usd_per_sol <= 0:
        raise ValueError("a SOL/USD price must be positive")
    if not price_usd or liquidity_usd is None or price_usd <= 0 or liquidity_usd < MIN_LIQUIDITY_USD:
        return 0
    quote_usd = Fraction(liquidity_usd) / 2
    base = quote_usd / Fraction(price_usd)
    sold = Fraction(units, 10**decimals) * (1 - POOL_FEE)
    usd = quote_usd * sold / (base + sold)
    return round_half_even(usd / Fraction(usd_per_sol) * LAMPORTS_PER_SOL)
