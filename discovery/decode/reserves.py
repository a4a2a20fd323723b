"""Reserves of a constant-product market after a trade, read from the balances of the
transaction.

They are returned only where the market's own change follows from them: reserves before,
fee and formula must give the executed amount to a thousandth. Pools with collected
fees, order books or concentrated liquidity fail that test; nobody would see it
otherwise. Formulae: the curve of pump.fun (virtual reserves 30 SOL and 1,073,000,000
tokens, of which 73,000,000 are never sold) and x·y = k with the fee that stays in the
vaults (PumpSwap 20 basis points, Raydium AMM v4 25).
"""

from fractions import Fraction
from typing import Final, NamedTuple

from discovery.decode.deltas import Deltas
from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import RAYDIUM_V4_AUTHORITY
from discovery.domain.programs import WRAPPED_SOL

_CURVE_LAMPORTS: Final = 30 * 10**9
_CURVE_UNITS: Final = 1_073_000_000 * 10**6
_UNSOLD_UNITS: Final = 73_000_000 * 10**6
_CURVE_PRODUCT: Final = _CURVE_LAMPORTS * _CURVE_UNITS
_MAX_PRODUCT_ERROR: Final = 10**6
"""The product may differ by a millionth of it."""
_CURVE_RENTS: Final = (1_231_920, 1_454_640, 1_934_880, 1_941_840)
"""Rent of the curve's account by its size, in lamports. Source: captured curves."""
_PUMPSWAP_FEE: Final = Fraction(20, 10_000)
_RAYDIUM_V4_FEE: Final = Fraction(25, 10_000)
_MAX_ERROR: Final = Fraction(1, 1_000)


class Reserves(NamedTuple):
    """What the price of a market is computed from, in raw units of quote and token."""

    quote_units: int
    base_units: int


def reserves_after(
    deltas: Deltas, wallet: str, mint: str, venues: tuple[str, ...]
) -> Reserves | None:
    """Return the reserves of the market with which the wallet traded the mint for SOL;
    None if there are several, or if they do not explain the trade.
    """
    markets = [
        owner
        for owner, mints in deltas.by_owner.items()
        if owner != wallet and mints.get(mint) and not is_on_curve(owner)
    ]
    if len(markets) != 1:
        return None
    (market,) = markets
    base = _sole_account(deltas, market, mint)
    if base is None:
        return None
    quote = _sole_account(deltas, market, WRAPPED_SOL)
    if quote is None:
        return _curve(deltas, market, base) if "pumpfun" in venues else None
    if market == RAYDIUM_V4_AUTHORITY:
        return _raydium_v4(quote, base)
    return _pumpswap(quote, base) if "pumpswap" in venues else None


class _Vault(NamedTuple):
    before: int
    after: int


def _sole_account(deltas: Deltas, owner: str, mint: str) -> _Vault | None:
    """Return the owner's token account of the mint, None if it has none or several."""
    found = [
        _Vault(change.before_units, change.before_units + change.units)
        for change in deltas.account_changes(mint)
        if change.owner == owner
    ]
    return found[0] if len(found) == 1 else None


def _curve(deltas: Deltas, curve: str, base: _Vault) -> Reserves | None:
    """Return the virtual reserves of a curve of pump.fun: those with the rent that gives
    the product of all curves.
    """
    lamports = deltas.meta.post_balances[deltas.keys.index(curve)]
    units = base.after + _UNSOLD_UNITS
    errors = {
        rent: abs((_CURVE_LAMPORTS + lamports - rent) * units - _CURVE_PRODUCT)
        for rent in _CURVE_RENTS
    }
    rent = min(errors, key=errors.__getitem__)
    if errors[rent] * _MAX_PRODUCT_ERROR > _CURVE_PRODUCT:
        return None
    return Reserves(_CURVE_LAMPORTS + lamports - rent, units)


def _pumpswap(quote: _Vault, base: _Vault) -> Reserves | None:
    """Return the reserves of a PumpSwap pool, which keeps a fee in the quote: on top of
    what a buyer pays, out of what a seller gets.
    """
    quote_in = quote.after - quote.before
    base_in = base.after - base.before
    if quote_in > 0 > base_in:
        paid = quote_in / (1 + _PUMPSWAP_FEE)
        predicted = _out(quote.before, base.before, paid)
        return _if_explained(quote, base, predicted, executed=-base_in)
    if base_in > 0 > quote_in:
        predicted = _out(base.before, quote.before, Fraction(base_in))
        predicted *= 1 - _PUMPSWAP_FEE
        return _if_explained(quote, base, predicted, executed=-quote_in)
    return None


def _raydium_v4(quote: _Vault, base: _Vault) -> Reserves | None:
    """Return the reserves of a Raydium pool, which keeps a fee of what goes in."""
    quote_in = quote.after - quote.before
    base_in = base.after - base.before
    if quote_in > 0 > base_in:
        predicted = _out(quote.before, base.before, quote_in * (1 - _RAYDIUM_V4_FEE))
        return _if_explained(quote, base, predicted, executed=-base_in)
    if base_in > 0 > quote_in:
        predicted = _out(base.before, quote.before, base_in * (1 - _RAYDIUM_V4_FEE))
        return _if_explained(quote, base, predicted, executed=-quote_in)
    return None


def _out(reserve_in: int, reserve_out: int, amount: Fraction) -> Fraction:
    """Return what a pool gives for `amount` without a fee: x·y = k."""
    return reserve_out * amount / (reserve_in + amount)


def _if_explained(
    quote: _Vault, base: _Vault, predicted: Fraction, *, executed: int
) -> Reserves | None:
    if abs(predicted - executed) > _MAX_ERROR * executed:
        return None
    return Reserves(quote.after, base.after)
