"""What the traders of world `living` do in one token, besides the habits of world
`traders`.
"""

from simmarket.worlds.behaviours import HOUR
from simmarket.worlds.living_tokens import EARLY_SECONDS, TAKE_PROFIT_SECONDS
from simmarket.worlds.traders_habits import TraderPlans
from simmarket.worlds.traders_tokens import MINUTE

_FIRST_BUY_SECONDS, _LAST_BUY_SECONDS = 8 * MINUTE, 27 * MINUTE


class LivingPlans(TraderPlans):
    """Plans the trades of one token's traders."""

    @property
    def launch(self) -> int:
        """The offset of the token's launch."""
        return self.life.launch

    def win_early(self, wallet: int) -> None:
        """Buys early and sells when the price is high, all of it before a few hours are
        over.
        """
        self._buy_early(wallet)
        last = self.launch + TAKE_PROFIT_SECONDS
        offset = self.rng.randint(self.phases.good[0], last)
        self._sell(wallet, offset, self.rng.choice((0.6, 1)))
        self._sell(wallet, offset + self.rng.randint(10 * MINUTE, HOUR), 1)

    def leave_early(self, wallet: int) -> None:
        """Buys early and sells before the price has risen much."""
        offset = self._buy_early(wallet)
        last = self.launch + EARLY_SECONDS
        self._sell(wallet, min(offset + self.rng.randint(60, 6 * MINUTE), last), 1)

    def stay_too_long(self, wallet: int) -> None:
        """Buys early and sells after the fall, or never."""
        self._buy_early(wallet)
        if self.rng.random() < 0.6:
            self._sell(wallet, self._between(self.phases.bad), 1)

    def lose_late(self, wallet: int) -> None:
        """Buys while the price is high and sells in the middle of the fall."""
        self.stumble(wallet, 0.3, 0.7)

    def flip(self, wallet: int) -> None:
        """Buys a little while the price is high and sells it within two minutes."""
        offset = self._while_high()
        self._buy(wallet, offset, 0.05, 0.12)
        self._sell(wallet, offset + self.rng.randint(15, 110), 1)

    def _buy_early(self, wallet: int) -> int:
        """Plan a buy inside the early window; return its offset."""
        offset = self._early(_FIRST_BUY_SECONDS, _LAST_BUY_SECONDS)
        self._buy(wallet, offset, 0.4, 0.75)
        return offset
