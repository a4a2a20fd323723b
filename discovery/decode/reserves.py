"""Reserves of a constant-product market after a trade, read from the balances of the
transaction.

They are returned only where the market's own change follows from them: reserves before,
fee and formula must give the executed amount to a thousandth. Pools with collected
fees, order books or concentrated liquidity fail that test; nobody would see it
otherwise. Formulae: the curve of pump.fun (domain/bonding_curve.py) and x·y = k with the
fee that stays in the vaults (PumpSwap 20 basis points, Raydium AMM v4 25).
"""

from typing import Final

from msgspec import Struct

from discovery.decode.deltas import Deltas
from discovery.domain.bonding_curve import curve_reserves
from discovery.domain.known_wallets import RAYDIUM_V4_AUTHORITY
from discovery.domain.programs import WRAPPED_SOL
from discovery.domain.trades import AccountUnits

_BASIS: Final = 10_000
_PUMPSWAP_FEE: Final = 20  # basis points
_RAYDIUM_V4_FEE: Final = 25
_MAX_ERROR_DIVISOR: Final = 1_000


class _Prediction(Struct, frozen=True, gc=False):
    """An exact quotient; integers are many times faster than fractions here."""

    numerator: int
    denominator: int


class Reserves(Struct, frozen=True, gc=False):
    """Reserves that give the price of a market, in raw units of quote and token."""

    quote_units: int
    base_units: int


def reserves_after(
    deltas: Deltas, market: str, mint: str, venues: tuple[str, ...]
) -> Reserves | None:
    """Return the reserves of the market in which the mint was traded for SOL, None if
    they do not explain the trade.
    """
    base = deltas.sole_account(market, mint)
    if base is None:
        return None
    quote = deltas.sole_account(market, WRAPPED_SOL)
    if quote is None:
        return _curve(deltas, market, base) if "pumpfun" in venues else None
    if market == RAYDIUM_V4_AUTHORITY:
        return _raydium_v4(quote, base)
    return _pumpswap(quote, base) if "pumpswap" in venues else None


def _curve(deltas: Deltas, curve: str, base: AccountUnits) -> Reserves | None:
    """Return the virtual reserves of a curve of pump.fun."""
    lamports = deltas.meta.post_balances[deltas.keys.index(curve)]
    reserves = curve_reserves(lamports, base.after_units)
    return None if reserves is None else Reserves(*reserves)


def _pumpswap(quote: AccountUnits, base: AccountUnits) -> Reserves | None:
    """Return the reserves of a PumpSwap pool, which keeps a fee in the quote: on top of
    what a buyer pays, out of what a seller gets.

    Bought: b·p / (q + p) with p = paid / (1 + fee). Sold: q·s / (b + s) · (1 - fee).
    """
    q, b = quote.before_units, base.before_units
    if quote.units > 0 > base.units:
        paid = quote.units * _BASIS
        divisor = _BASIS + _PUMPSWAP_FEE
        predicted = _Prediction(b * paid, q * divisor + paid)
        return _if_explained(quote, base, predicted, executed=-base.units)
    if base.units > 0 > quote.units:
        kept = _BASIS - _PUMPSWAP_FEE
        predicted = _Prediction(q * base.units * kept, (b + base.units) * _BASIS)
        return _if_explained(quote, base, predicted, executed=-quote.units)
    return None


def _raydium_v4(quote: AccountUnits, base: AccountUnits) -> Reserves | None:
    """Return the reserves of a Raydium pool, which keeps a fee of what goes in:
    out·i / (in + i) with i = paid · (1 - fee).
    """
    if quote.units > 0 > base.units:
        paid, got = quote, base
    elif base.units > 0 > quote.units:
        paid, got = base, quote
    else:
        return None
    effective = paid.units * (_BASIS - _RAYDIUM_V4_FEE)
    predicted = _Prediction(
        got.before_units * effective, paid.before_units * _BASIS + effective
    )
    return _if_explained(quote, base, predicted, executed=-got.units)


def _if_explained(
    quote: AccountUnits, base: AccountUnits, predicted: _Prediction, *, executed: int
) -> Reserves | None:
    """Return the reserves after the trade if the prediction is right to a thousandth."""
    exact = executed * predicted.denominator
    if abs(predicted.numerator - exact) * _MAX_ERROR_DIVISOR > exact:
        return None
    return Reserves(quote.after_units, base.after_units)
