"""A curve without history and a few wallets: a world small enough to compute its
results by hand.
"""

from simmarket.chain import programs, pumpfun, swaps
from simmarket.chain.builder import Builder, Style
from simmarket.chain.swaps import Order
from simmarket.chain.world import Token
from simmarket.worlds import expected_results

SOL = 10**9
PLAIN = Style(None)


class TinyWorld:
    """One token, launched at -5000 s, and wallets by index."""

    def __init__(self, wallets=4):
        self.builder = Builder("tiny", 1, -10_000)
        creator = self.builder.new_wallet(SOL)
        self.mint = self.builder.new_mint_address()
        mint = self.builder.ledger.add_mint(self.mint, programs.TOKEN, 6)
        self.curve = pumpfun.open_curve(
            self.builder, mint, self.builder.ledger.native, creator, -5_000
        )
        self.builder.ledger.fund(self.curve.account, 10 * SOL)
        self.builder.ledger.open_before(self.curve.account, mint, 10**15)
        self.builder.world.tokens[self.mint] = Token(
            mint, "TINY", "Tiny", "", "pump", -5_000, creator, [self.curve]
        )
        self.wallets = [self.builder.new_wallet(50 * SOL) for _ in range(wallets)]
        self.builder.world.wallets.update(self.wallets)

    def address(self, wallet):
        return self.builder.accounts.address(self.wallets[wallet])

    def balance(self, wallet):
        return self.builder.ledger.lamports[self.wallets[wallet]]

    def buy(self, wallet, at, lamports=SOL, *, step=0, style=PLAIN):
        """Return the units bought."""
        return swaps.buy(self.builder, self._order(wallet, at, step, style), lamports)

    def sell(self, wallet, at, units, *, style=PLAIN):
        swaps.sell(self.builder, self._order(wallet, at, 0, style), units)

    def transfer(self, source, target, at, units):
        swaps.transfer_tokens(
            self.builder, self._order(source, at, 0, PLAIN), self.wallets[target], units
        )

    def _order(self, wallet, at, step, style):
        return Order(
            self.wallets[wallet], self.curve, self.builder.moment(at, step), style
        )

    def cycles(self, wallet):
        return expected_results.cycles(self.builder.world).get(self.address(wallet), [])

    def early_buyers(self, **options):
        return expected_results.tokens(self.builder.world, **options)[
            self.mint
        ].early_buyers

    def lamports(self, wallet, kind):
        """Return the lamports of a wallet's buys or sales, fees included."""
        sign = 1 if kind == "buy" else -1
        movements = [
            m
            for m in self.builder.world.movements
            if m.kind == kind and m.wallet == self.wallets[wallet]
        ]
        return sum(m.quote_units + sign * m.fees_lamports for m in movements)
