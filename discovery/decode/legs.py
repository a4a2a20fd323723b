"""The legs of one wallet: what it bought or sold for which quote, or the reason why it
did not trade. docs/decoding.md has a table of the reasons.
"""

from collections.abc import Mapping
from typing import Final

from discovery.decode.costs import CostReader
from discovery.decode.counterparties import DUST_DIVISOR, Counterparties
from discovery.decode.deltas import Deltas
from discovery.decode.exchange import exchange_legs
from discovery.decode.leg import FEE_DIVISOR, QUOTE_SIGN, Leg, NoTrade
from discovery.domain.programs import (
    LIQUID_STAKING,
    STABLES,
    WRAPPED_SOL,
)
from discovery.domain.reasons import Reason
from discovery.domain.trades import Amount, Side

# Prices are not known here. Between 1 and 1,000 USD per SOL holds for any trade of
# interest. A raw unit of a stable is 10⁻⁶ USD: at 1 USD per SOL it is worth 1,000
# lamports, at 1,000 USD per SOL one lamport.
_DUST_LAMPORTS_PER_STABLE_UNIT: Final = 1_000 * DUST_DIVISOR
_SECOND_QUOTE_DIVISOR: Final = 10

_WITHOUT_COUNTERPARTY: Final[Mapping[Side, Reason]] = {
    "buy": Reason.MINTED,
    "sell": Reason.BURNED,
}
"""The reason if no other owner lost the units that the wallet got, or got those that it
lost.
"""


class LegFinder:
    """Finds the legs of one wallet from its own balance changes and those of its
    counterparties.
    """

    __slots__ = (
        "_costs",
        "_deltas",
        "_gained",
        "_lost",
        "_market_lamports",
        "_others",
        "_stables",
        "_wallet",
    )

    def __init__(
        self, deltas: Deltas, wallet: str, others: Counterparties, costs: CostReader
    ) -> None:
        self._deltas = deltas
        self._wallet = wallet
        self._others = others
        self._costs = costs
        self._market_lamports: int | None = None
        gained: dict[str, int] = {}
        lost: dict[str, int] = {}
        stables: dict[str, int] = {}
        for mint, units in deltas.by_owner.get(wallet, {}).items():
            if not units or mint == WRAPPED_SOL:
                continue
            if mint in STABLES:
                stables[mint] = units
            elif units > 0:
                gained[mint] = units
            else:
                lost[mint] = -units
        if len(gained) + len(lost) > 1:
            gained = self._without_leftovers(gained)
            lost = self._without_leftovers(lost)
        self._gained = gained
        self._lost = lost
        self._stables = stables

    def _without_leftovers(self, mints: dict[str, int]) -> dict[str, int]:
        """Return mint -> units without the units that a route left."""
        return {
            mint: units
            for mint, units in mints.items()
            if not self._others.is_leftover(mint, units)
        }

    def market_lamports(self) -> int:
        """Return the wallet's SOL change without its costs, which is what the market
        gave (+) or took (-). Costs are in the instructions, which are read only if the
        legs depend on it.
        """
        if self._market_lamports is None:
            costs = self._costs.costs_of(self._wallet)
            lamports = self._deltas.sol_lamports(self._wallet)
            self._market_lamports = lamports + costs.total_lamports
        return self._market_lamports

    def find(self) -> list[Leg] | Reason:
        """Return the legs of the wallet, at least one, or the reason why it has none.

        A swap of one token for another is two legs, the sale first. The legs of several
        tokens against one quote are in the order of mints.
        """
        if not self._gained and not self._lost:
            return self._reason_without_tokens()
        try:
            self._refuse_collectible()
            self._drop_rewards()
            if not self._lost:
                return self._against_quote("buy", self._gained)
            if not self._gained:
                return self._against_quote("sell", self._lost)
            return self._token_to_token()
        except NoTrade as no_trade:
            return no_trade.reason

    def _drop_rewards(self) -> None:
        """Ignore a token that was minted for the wallet beside one that it bought: a
        reward is no part of the price.
        """
        if self._lost or len(self._gained) < 2:
            return
        bought = {
            mint: units
            for mint, units in self._gained.items()
            if self._others.has_moved(mint, -1)
        }
        if bought:
            self._gained = bought

    def _reason_without_tokens(self) -> Reason:
        """Return what a wallet did whose changes are in quotes alone: a wallet that went
        through a token and ended without it is a case of arbitrage.
        """
        if self._stables and self._has_converted_quotes():
            return Reason.QUOTE_CONVERSION
        if self._others.is_loop() or self._is_reverted_trade():
            return Reason.ARBITRAGE
        if self._stables:
            return Reason.TRANSFER
        return Reason.NO_TOKEN_CHANGE

    def _has_converted_quotes(self) -> bool:
        """Return True if the wallet paid one quote and got another, SOL included."""
        smallest = min(self._stables.values())
        largest = max(self._stables.values())
        if smallest < 0 < largest:
            return True
        if smallest < 0:
            return self.market_lamports() > 0
        has_paid_sol = self.market_lamports() < 0
        return has_paid_sol and self._others.has_sol_market(1)

    def _is_reverted_trade(self) -> bool:
        """Return True if wallet and market ended with the units of a token that they
        began with and the wallet lost SOL. A market that gained half of it or more was
        paid for something.
        """
        markets = self._others.reverted_markets()
        if not markets:
            return False
        lost_lamports = -self.market_lamports()
        if lost_lamports <= 0:
            return False
        changes = map(self._deltas.sol_lamports, markets)
        return any(abs(change) * 2 < lost_lamports for change in changes)

    def _refuse_collectible(self) -> None:
        """Raise NoTrade if the wallet moved one piece of a mint without decimals.

        A piece that appeared or vanished beside other tokens is a share of a pool.
        """
        if 1 not in self._gained.values() and 1 not in self._lost.values():
            return
        tokens = self._gained | self._lost
        decimals_of = self._deltas.decimals_of
        pieces = [
            mint for mint in tokens if tokens[mint] == 1 and decimals_of(mint) == 0
        ]
        if not pieces:
            return
        has_other_mints = len(tokens) + len(self._stables) > 1
        if has_other_mints and not self._others.is_exchanged(pieces[0]):
            raise NoTrade(Reason.LIQUIDITY)
        raise NoTrade(Reason.NFT)

    def _token_to_token(self) -> list[Leg]:
        """Return the two legs of a swap: other owners gave what the wallet gained and
        got what it lost.
        """
        if not self._others.have_all_moved(self._gained, -1):
            raise NoTrade(Reason.LIQUIDITY)
        if not self._others.have_all_moved(self._lost, 1):
            raise NoTrade(Reason.LIQUIDITY)
        if LIQUID_STAKING.issuperset(self._gained.keys() | self._lost.keys()):
            raise NoTrade(Reason.QUOTE_CONVERSION)
        if len(self._gained) > 1 or len(self._lost) > 1:
            raise NoTrade(Reason.AMBIGUOUS)
        (bought,) = self._gained.items()
        (sold,) = self._lost.items()
        return exchange_legs(
            Amount(*sold), Amount(*bought), self._quote_changes(), self._others
        )

    def _quote_changes(self) -> dict[str, int]:
        """Return quote -> raw units that the wallet gained or lost, without the
        leftovers of a route and without SOL that no market moved.
        """
        changes = self._without_leftovers(self._stables)
        lamports = self.market_lamports()
        if not lamports:
            return changes
        is_traded = self._others.has_sol_market(-1 if lamports > 0 else 1)
        is_leftover = abs(lamports) * DUST_DIVISOR < self._others.passed_lamports()
        if is_traded and not is_leftover:
            changes[WRAPPED_SOL] = lamports
        return changes

    def _against_quote(self, side: Side, tokens: dict[str, int]) -> list[Leg] | Reason:
        """Return the legs of a wallet whose tokens all went one way, or why it has none:
        it traded if a quote went the other way.

        tokens: mint -> units that the wallet gained (buy) or lost (sell).
        """
        quote = self._quote(QUOTE_SIGN[side])
        if not quote.units:
            return self._reason_without_quote(side, tokens)
        if quote.mint == WRAPPED_SOL and LIQUID_STAKING.issuperset(tokens):
            raise NoTrade(Reason.QUOTE_CONVERSION)
        for mint, units in tokens.items():
            self._require_counterparty(side, mint, units)
        if len(tokens) == 1:
            ((mint, units),) = tokens.items()
            return [Leg(side, mint, units, quote.mint, quote.units)]
        return self._split(side, tokens, quote)

    def _quote(self, sign: int) -> Amount:
        """Return what the wallet gave or got for its tokens, 0 units of SOL if that was
        nothing.

        Raises NoTrade if the quote went the same way as the tokens, came from nobody,
        or if there are two.
        """
        lamports = self._sol_leg_lamports(sign)
        stables = self._stable_legs(sign, lamports)
        if not stables:
            return Amount(WRAPPED_SOL, lamports)
        if min(stables.values()) < 0:
            raise NoTrade(self._arbitrage_or(Reason.LIQUIDITY))
        if len(stables) > 1:
            raise NoTrade(Reason.AMBIGUOUS)
        ((mint, units),) = stables.items()
        if self._is_second_quote(sign, lamports, units):
            raise NoTrade(Reason.AMBIGUOUS)
        if not self._others.has_moved(mint, -sign):
            raise NoTrade(Reason.TRANSFER)
        return Amount(mint, units)

    def _sol_leg_lamports(self, sign: int) -> int:
        """Return the lamports that went against the tokens, 0 if none did or no market
        was the other side.
        """
        lamports = self.market_lamports() * sign
        if lamports > 0 and self._others.has_sol_market(-sign):
            return lamports
        return 0

    def _stable_legs(self, sign: int, lamports: int) -> dict[str, int]:
        """Return mint -> raw units of the stables, without a route's leftovers and
        without dust beside a SOL leg of `lamports`.

        + went against the tokens, - went the same way.
        """
        legs: dict[str, int] = {}
        if not self._stables:
            return legs
        for mint, units in self._without_leftovers(self._stables).items():
            is_dust = abs(units) * _DUST_LAMPORTS_PER_STABLE_UNIT < lamports
            if not is_dust:
                legs[mint] = units * sign
        return legs

    def _is_second_quote(self, sign: int, lamports: int, stable_units: int) -> bool:
        """Return True if SOL is a quote beside a stable.

        SOL that no market kept, or that is worth less than a tenth of the stable, is
        fees and rent of other owners. A little of what passed between two markets is
        kept back for fees. stable_units: more than 0.
        """
        if lamports * _SECOND_QUOTE_DIVISOR < stable_units:
            return False
        if lamports * FEE_DIVISOR < self._others.passed_lamports():
            return False
        return lamports <= 2 * self._others.net_sol_lamports(-sign)

    def _require_counterparty(self, side: Side, mint: str, units: int) -> None:
        """Raise NoTrade if the units have nobody on their other side, or if they are
        what is left of a round trip.
        """
        sign = QUOTE_SIGN[side]
        if self._others.has_moved(mint, sign):
            reason = Reason.ARBITRAGE
            is_trade = not self._others.is_round_trip(mint, sign, units)
        else:
            reason = _WITHOUT_COUNTERPARTY[side]
            is_trade = self._is_trade_with_issuer(side, mint)
        if not is_trade:
            raise NoTrade(reason)

    def _is_trade_with_issuer(self, side: Side, mint: str) -> bool:
        """Return True if units that no other owner moved were traded all the same."""
        if side == "buy":
            return self._others.is_launch(mint)
        # A token burned against a quote is a redeemed pool share. If its proceeds were
        # sold on, it is a sale.
        return self._others.is_loop()

    def _reason_without_quote(self, side: Side, tokens: dict[str, int]) -> Reason:
        """Return what a wallet did whose tokens all went one way without a quote. SOL
        that went the same way is the other half of a pool's deposit or withdrawal.
        """
        sign = QUOTE_SIGN[side]
        if not self._others.have_all_moved(tokens, sign):
            return _WITHOUT_COUNTERPARTY[side]
        is_sol_with_tokens = self.market_lamports() * sign < 0
        if is_sol_with_tokens and self._others.has_sol_market(sign):
            return self._arbitrage_or(Reason.LIQUIDITY)
        return Reason.TRANSFER

    def _arbitrage_or(self, reason: Reason) -> Reason:
        """Return ARBITRAGE for changes that a loop left, else `reason`."""
        return Reason.ARBITRAGE if self._others.is_loop() else reason

    def _split(self, side: Side, tokens: dict[str, int], quote: Amount) -> list[Leg]:
        """Split one quote over several tokens by what the markets of each token took or
        gave, never by unit count.

        Shares are rounded down; the last mint gets the rest.
        """
        values = self._quote_by_token(side, tokens, quote.mint)
        total = sum(values.values())
        rest = quote.units
        legs = []
        *head, last = sorted(tokens)
        for mint in head:
            share = quote.units * values[mint] // total
            rest -= share
            legs.append(Leg(side, mint, tokens[mint], quote.mint, share))
        legs.append(Leg(side, last, tokens[last], quote.mint, rest))
        return legs

    def _quote_by_token(
        self, side: Side, tokens: dict[str, int], quote_mint: str
    ) -> dict[str, int]:
        """Return mint -> quote units that its markets took or gave.

        Raises NoTrade if a token has no market, or if a market traded two of the
        tokens: its quote cannot be divided between them.
        """
        market_sign = -QUOTE_SIGN[side]
        values: dict[str, int] = {}
        claimed: set[str] = set()
        for mint in tokens:
            markets = self._others.quote_by_owner(mint, quote_mint, market_sign)
            if not markets or not claimed.isdisjoint(markets):
                raise NoTrade(Reason.AMBIGUOUS)
            claimed |= markets.keys()
            values[mint] = sum(markets.values())
        return values
