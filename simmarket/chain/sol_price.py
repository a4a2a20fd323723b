"""The SOL/USD price: a fixed minute series that depends on the seed only. All values are whole cents."""

from simmarket.chain.accounts import mixed

_KNOTS = ((1440, 900), (90, 250), (10, 60))  # (minutes between knots, largest swing in cents)


class SolPrice:
    """Price of one SOL at the end of each minute; minute m covers offsets [60 m, 60 m + 60).

    flat: 170.00 USD all the time. A trades file says nothing of USD, and a token that nobody traded for days must not
    seem to have moved because SOL did.
    """

    def __init__(self, seed: int, *, flat: bool = False) -> None:
        self._seed = seed
        self._flat = flat
        self._knots: dict[tuple[int, int], int] = {}

    def _knot(self, spacing: int, place: int, swing: int) -> int:
        value = self._knots.get((spacing, place))
        if value is None:
            value = mixed("sol", self._seed, spacing, place) % (2 * swing + 1) - swing
            self._knots[spacing, place] = value
        return value

    def close_cents(self, minute: int) -> int:
        """Closing price of a minute, between about 155 and 185 USD."""
        total = 17_000
        if self._flat:
            return total
        for spacing, swing in _KNOTS:
            place, into = divmod(minute, spacing)
            before, after = self._knot(spacing, place, swing), self._knot(spacing, place + 1, swing)
            total += (before * (spacing - into) + after * into) // spacing
        return total

    def cents_at(self, offset_seconds: int) -> int:
        """Close of the last minute that ended before that moment."""
        return self.close_cents(offset_seconds // 60 - 1)
