"""Reserves of a bonding curve of pump.fun, from its lamports and its token account.

The price follows virtual reserves: 30 SOL and 1,073,000,000 tokens at the start, of
which 73,000,000 are never sold; their product stays the same. Source: captured curves
and pump.fun's public interface definition.
"""

from typing import Final, NamedTuple

_VIRTUAL_LAMPORTS: Final = 30 * 10**9
_VIRTUAL_UNITS: Final = 1_073_000_000 * 10**6
_UNSOLD_UNITS: Final = 73_000_000 * 10**6
_PRODUCT: Final = _VIRTUAL_LAMPORTS * _VIRTUAL_UNITS
_MAX_ERROR_DIVISOR: Final = 10**6
"""The product may differ by a millionth of it."""
_RENTS: Final = (1_231_920, 1_454_640, 1_934_880, 1_941_840)
"""Rent of the curve's account by its size, in lamports. Source: captured curves."""


FINISHED_BASE_UNITS: Final = 279_900_000 * 10**6
"""Virtual token units when everything for sale is sold: nobody can trade there then."""


class CurveReserves(NamedTuple):
    """Reserves that give the price of a curve: lamports and raw token units."""

    quote_lamports: int
    base_units: int


def curve_reserves(lamports: int, token_units: int) -> CurveReserves | None:
    """Return the virtual reserves of a curve: those with the rent that gives the product
    of all curves. None if no rent does: a finished curve, or one of another kind.

    lamports: of the curve's account. token_units: raw units in its token account.
    """
    units = token_units + _UNSOLD_UNITS
    exact = _PRODUCT // units
    with_rent = _VIRTUAL_LAMPORTS + lamports
    rent = min(_RENTS, key=lambda rent: abs(with_rent - rent - exact))
    quote_lamports = with_rent - rent
    if abs(quote_lamports - exact) * _MAX_ERROR_DIVISOR > exact:
        return None
    return CurveReserves(quote_lamports, units)
