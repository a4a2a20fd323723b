"""The SOL/USD price: a fixed minute series that depends on the seed only. All values
are whole cents.
"""

from simmarket.chain.stable_hash import stable_hash

_FLAT_CENTS = 17_000
_KNOTS = (
    (1440, 900),
    (90, 250),
    (10, 60),
)  # (minutes between knots, largest swing in cents)


class SolPrice:
    """Price of one SOL at the end of each minute; minute m covers offsets [60 m, 60 m +
    60).

    `flat`: 170.00 USD at all times. A trades file has no USD prices, and a token
    without trades for days must not seem to move because SOL moves.
    """

    def __init__(self, seed: int, *, flat: bool = False) -> None:
        self._seed = seed
        self._flat = flat
        self._knots: dict[tuple[int, int], int] = {}
        self._closes: dict[int, int] = {}

    def _knot(self, spacing: int, index: int, swing: int) -> int:
        value = self._knots.get((spacing, index))
        if value is None:
            value = (
                stable_hash("sol", self._seed, spacing, index) % (2 * swing + 1) - swing
            )
            self._knots[spacing, index] = value
        return value

    def close_cents(self, minute: int) -> int:
        """Return the closing price of a minute, between about 155 and 185 USD."""
        if self._flat:
            return _FLAT_CENTS
        close = self._closes.get(minute)
        if close is None:
            close = self._closes[minute] = self._computed_close(minute)
        return close

    def _computed_close(self, minute: int) -> int:
        total = _FLAT_CENTS
        for spacing, swing in _KNOTS:
            index, minutes_after_knot = divmod(minute, spacing)
            before = self._knot(spacing, index, swing)
            after = self._knot(spacing, index + 1, swing)
            total += (
                before * (spacing - minutes_after_knot) + after * minutes_after_knot
            ) // spacing
        return total

    def cents_at(self, offset_seconds: int) -> int:
        """Return the close of the last minute that ended before that moment."""
        return self.close_cents(offset_seconds // 60 - 1)
