"""Transactions into what they did to wallets: decoded once, put in chain order, with what moved unseen between them."""

from collections.abc import Iterable
from fractions import Fraction

import msgspec

from discovery.clients.transaction_history import OrderedTransaction, Problem
from discovery.decode.outcomes import Decoded, Failed, Outcome, Skipped
from discovery.decode.swaps import decode
from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.programs import STABLE_DECIMALS, STABLES, TOKEN, WRAPPED_SOL
from discovery.domain.trades import Trade
from discovery.domain.units import usd_units_to_lamports
from discovery.providers.prices import SolPrices

ChainPosition = tuple[int, int, int, str]
"""Chain order of one wallet's transactions: slot, list, index in that list, signature."""


class ValuedTrade(msgspec.Struct, frozen=True):
    """A trade with its market amount in lamports, None where no price is known, and its block time."""

    trade: Trade
    block_time: int
    value_lamports: Fraction | None


class BalanceChange(msgspec.Struct, frozen=True):
    """One transaction that changed a wallet's units of the mint."""

    place: ChainPosition
    block_time: int
    before_units: int
    after_units: int
    signature: str
    trade: Trade | None
    burned: bool


class TokenHistory:
    """Every transaction seen of the token, decoded once, and each wallet's touches."""

    def __init__(self, mint: str) -> None:
        self.mint = mint
        self.token_program = TOKEN
        self.outcomes: dict[str, Outcome] = {}
        self.touches: dict[str, dict[str, BalanceChange]] = {}
        self.reasons: dict[str, int] = {}

    def add(self, transactions: Iterable[OrderedTransaction], list_number: int, only: str | None = None) -> None:
        """Take in a list. `only`: a wallet's own account list, whose order then holds for that wallet."""
        for located in transactions:
            outcome = self.outcomes.get(located.signature)
            if outcome is None:
                outcome = self._decode(located)
            if isinstance(outcome, Failed):
                continue
            trades = outcome.trades if isinstance(outcome, Decoded) else ()
            for change in outcome.changes:
                if change.mint != self.mint or only not in (None, change.wallet):
                    continue
                known = self.touches.setdefault(change.wallet, {})
                if located.signature in known and only is None:
                    continue
                known[located.signature] = BalanceChange(
                    place=(located.slot, list_number, located.index, located.signature),
                    block_time=located.block_time,
                    before_units=change.before_units,
                    after_units=change.after_units,
                    signature=located.signature,
                    trade=next((t for t in trades if t.wallet == change.wallet and t.mint == self.mint), None),
                    burned=isinstance(outcome, Skipped) and outcome.reason == "burned",
                )

    def _decode(self, located: OrderedTransaction) -> Outcome:
        outcome = self.outcomes[located.signature] = decode(located.record)
        reason = "trades" if isinstance(outcome, Decoded) else str(outcome.reason)
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        meta = located.record.meta
        if self.token_program == TOKEN and meta is not None:
            for row in meta.post_token_balances or ():
                if row.mint == self.mint and row.program_id:
                    self.token_program = row.program_id
        return outcome

    def history(self, wallet: str) -> list[BalanceChange]:
        """The wallet's touches in chain order."""
        return sorted(self.touches.get(wallet, {}).values(), key=lambda touch: touch.place)

    def is_whole(self, wallet: str, units_now: int | None) -> bool:
        """Whether each balance follows from the one before, from nothing up to what the account holds now."""
        units = 0
        for touch in self.history(wallet):
            if touch.before_units != units:
                return False
            units = touch.after_units
        return units_now is None or units == units_now

    def skipped(self) -> dict[str, int]:
        """How many transactions were no trade, by reason: what the decoder left out is in the funnel."""
        return {f"skipped_{reason}": count for reason, count in sorted(self.reasons.items()) if reason != "trades"}

    def failures(self) -> int:
        """Records that could not be read."""
        return sum(isinstance(outcome, Failed) for outcome in self.outcomes.values())


async def load_prices(ledger: TokenHistory, wallets: list[str], prices: SolPrices, problem: Problem) -> None:
    """Load SOL/USD for the trades quoted in a stable; without it their cost is unknown, which is said."""
    times = [
        touch.block_time
        for wallet in wallets
        for touch in ledger.touches.get(wallet, {}).values()
        if touch.trade is not None and touch.trade.quote_mint in STABLES
    ]
    if not times:
        return
    await prices.load(times)
    unknown = sum(prices.at(time) is None for time in times)
    if unknown:
        problem(ledger.mint, f"no SOL/USD price for {unknown} trades: their cost is unknown")


def valued_events(
    history: list[BalanceChange], prices: SolPrices, *, from_nothing: bool = False
) -> tuple[list[HoldingEvent], list[ValuedTrade]]:
    """One wallet's touches of one mint as events with their value, what moved unseen among them, and its trades.

    from_nothing: what lay there before the first touch came unseen as well, at a cost nobody knows.
    """
    events, trades = [], []
    kind: EventKind
    units_before: int | None = 0 if from_nothing else None
    for touch in history:
        trade = touch.trade
        gap = 0 if units_before is None else touch.before_units - units_before
        units_before = touch.after_units
        if gap:
            # Units came or went unseen: without a price they are what a transfer is.
            kind = "transfer_in" if gap > 0 else "transfer_out"
            events.append(HoldingEvent(kind, touch.signature, touch.place[0], touch.block_time, abs(gap)))
        value: Fraction | None = None
        extras = 0
        if trade is not None:
            kind, units, extras = trade.side, trade.token_units, trade.extras_lamports
            value = value_lamports(trade, touch.block_time, prices)
            trades.append(ValuedTrade(trade, touch.block_time, value))
        else:
            units = touch.after_units - touch.before_units
            kind = "transfer_in" if units > 0 else "burn" if touch.burned else "transfer_out"
        events.append(HoldingEvent(kind, touch.signature, touch.place[0], touch.block_time, abs(units), value, extras))
    return events, trades


def value_lamports(trade: Trade, block_time: int, prices: SolPrices) -> Fraction | None:
    """The market amount of a trade in lamports, None where no price is known."""
    if trade.quote_mint == WRAPPED_SOL:
        return Fraction(trade.quote_units)
    if trade.quote_mint in STABLES:
        price = prices.at(block_time)
        return None if price is None else usd_units_to_lamports(trade.quote_units, STABLE_DECIMALS, price)
    return None
