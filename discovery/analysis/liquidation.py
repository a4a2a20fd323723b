"""Liquidation value of a holding: its proceeds if it were sold now, all at once, into a
constant-product market.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from discovery.domain.histories import PoolReserves
from discovery.domain.units import LAMPORTS_PER_SOL, round_half_even

_BASIS: Final = 10_000
POOL_FEE: Final = Fraction(3, 1000)
MIN_LIQUIDITY_USD: Final = 500
"""A pool with less liquidity is no exit."""


def market_value_lamports(units: int, reserves: PoolReserves) -> int:
    """Return the lamports for `units` raw units: q·u / (b + u) less the fee, rounded
    down, with q and b the reserves.
    """
    kept = _BASIS - reserves.fee_bps
    gross = reserves.quote_lamports * units * kept
    return gross // ((reserves.base_units + units) * _BASIS) if units else 0


def liquidation_value_lamports(
    units: int,
    decimals: int,
    price_usd: Decimal | None,
    liquidity_usd: Decimal | None,
    usd_per_sol: Decimal,
) -> int:
    """Return the lamports for `units` raw units sold at once into a constant-product
    pool.

    Rq·q(1-φ) / (Rb + q(1-φ)), both reserves worth half of `liquidity_usd`. Returns 0
    without a price or if the pool is too thin. Raises ValueError if SOL has no price.
    """
    if usd_per_sol <= 0:
        raise ValueError("a SOL/USD price must be positive")
    if price_usd is None or price_usd <= 0:
        return 0
    if liquidity_usd is None or liquidity_usd < MIN_LIQUIDITY_USD:
        return 0
    quote_usd = Fraction(liquidity_usd) / 2
    base = quote_usd / Fraction(price_usd)
    sold = Fraction(units, 10**decimals) * (1 - POOL_FEE)
    proceeds_usd = quote_usd * sold / (base + sold)
    return round_half_even(proceeds_usd / Fraction(usd_per_sol) * LAMPORTS_PER_SOL)
