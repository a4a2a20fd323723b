"""Decoding of one transaction into trades, on any venue.

A trade needs a counterparty: another owner lost the units (they were not minted), and
an owner of token accounts in the transaction gained the quote. The wallet's SOL leg is
its change in native and wrapped SOL without network fee, tips, platform fees and rent.
`docs/decoding.md` explains the rules.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.decode.activities import Activities
from discovery.decode.changes import WalletChanges
from discovery.decode.costs import NO_COSTS, CostReader
from discovery.decode.counterparties import Counterparties
from discovery.decode.deltas import Deltas
from discovery.decode.instructions import Calls
from discovery.decode.leg import Leg
from discovery.decode.legs import LegFinder
from discovery.decode.outcomes import Decoded, Failed, Outcome, Skipped
from discovery.decode.reconciliation import Reconciliation, unexplained_lamports
from discovery.decode.reserves import Reserves, reserves_after
from discovery.decode.venues import venue_names
from discovery.domain.addresses import is_wallet
from discovery.domain.known_wallets import SHARED_AUTHORITIES
from discovery.domain.programs import WRAPPED_SOL
from discovery.domain.reasons import Reason
from discovery.domain.trades import Trade
from discovery.providers.errors import UNREADABLE
from discovery.providers.transactions import Meta, TransactionRecord, decode_record

_CONCLUSIVE: Final = frozenset({Reason.AMBIGUOUS, Reason.QUOTE_CONVERSION, Reason.NFT})
"""Reasons that say what the signer did. Fills by keepers are not searched for then."""

_MOST_TELLING_FIRST: Final = (
    Reason.AMBIGUOUS,
    Reason.KEEPER_FILL,
    Reason.QUOTE_CONVERSION,
    Reason.ARBITRAGE,
    Reason.NFT,
    Reason.LOAN,
    Reason.ORDER_OPEN,
    Reason.ORDER_CLOSED,
    Reason.LIQUIDITY,
    Reason.MINTED,
    Reason.BURNED,
    Reason.TRANSFER,
    Reason.NO_WALLET,
    Reason.NO_TOKEN_CHANGE,
)

_SIGNATURE: Final = re.compile(
    rb'"signatures"\s*:\s*\[\s*"([1-9A-HJ-NP-Za-km-z]{64,90})"'
)


def decode_json(raw: bytes) -> Outcome:
    """Decode one `getTransaction` result as JSON.

    Returns Failed if it cannot be read, with its signature if that much can be read.
    """
    try:
        record = decode_record(raw)
    except UNREADABLE as error:
        return Failed(_signature_of(raw), Reason.UNREADABLE, str(error))
    return decode(record)


def decode(record: TransactionRecord) -> Outcome:
    """Decode one transaction. Raises nothing.

    Returns Decoded with the trades of every wallet in it, Skipped with the reason if
    there is none, Failed if the record has no meta or no signature or makes no sense.
    Instructions are read, and can make no sense, only where balances do not say enough.
    """
    meta = record.meta
    signatures = record.transaction.signatures
    if not signatures:
        return Failed("", Reason.UNREADABLE, "no signature")
    signature = signatures[0]
    if meta is None:
        return Failed(signature, Reason.NO_META)
    if meta.err is not None:
        return Skipped(
            signature, Reason.FAILED_TRANSACTION, record.slot, record.block_time
        )
    if not (meta.pre_token_balances or meta.post_token_balances):
        return Skipped(
            signature, Reason.NO_TOKEN_CHANGE, record.slot, record.block_time
        )
    try:
        return _Transaction(record, meta).outcome()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
        # The shape is right but the record makes no sense: an index is out of range, or
        # an amount is no number.
        return Failed(signature, Reason.BAD_INDEX, f"{type(error).__name__}: {error}")


class _Transaction:
    """The working set of one transaction."""

    __slots__ = (
        "_activities",
        "_calls",
        "_costs",
        "_reasons",
        "deltas",
        "record",
        "trades",
        "venues",
    )

    def __init__(self, record: TransactionRecord, meta: Meta) -> None:
        deltas = Deltas(record, meta)
        calls = Calls(deltas.keys, record)
        self.record = record
        self.deltas = deltas
        self.venues = venue_names(deltas.known_keys)
        self.trades: list[Trade] = []
        self._reasons: dict[str, Reason] = {}  # of the wallets that did not trade
        self._calls = calls
        self._costs = CostReader(deltas, calls)
        self._activities = Activities(calls, deltas.known_keys)

    def outcome(self) -> Outcome:
        """Return the trades, or the most telling reason of the wallets that did not
        trade.
        """
        record = self.record
        signature = record.transaction.signatures[0]
        changes = WalletChanges(self.deltas, self._calls)
        reasons = self._add_trades_of(dict.fromkeys(self.deltas.signers))
        if not self.trades and _CONCLUSIVE.isdisjoint(reasons):
            reasons += self._add_keeper_fills(changes.wallets())
        if self.trades:
            return Decoded(
                signature,
                record.slot,
                record.block_time,
                tuple(self.trades),
                changes.with_reasons(self._reasons, self.trades),
            )
        return Skipped(
            signature,
            _most_telling(reasons),
            record.slot,
            record.block_time,
            changes.with_reasons(self._reasons, ()),
        )

    def _add_trades_of(self, wallets: Iterable[str]) -> list[Reason]:
        """Add the trades of those wallets that have a token account here. Returns the
        reasons of those that did not trade.
        """
        reasons: list[Reason] = []
        for wallet in wallets:
            if wallet not in self.deltas.by_owner:
                continue
            others = Counterparties(self.deltas, wallet, self.venues)
            finder = LegFinder(self.deltas, wallet, others, self._costs)
            legs = self._legs(wallet, finder)
            if isinstance(legs, Reason):
                reasons.append(legs)
                self._reasons[wallet] = legs
            else:
                self._add_trades(wallet, legs, finder.market_lamports())
        return reasons

    def _legs(self, wallet: str, finder: LegFinder) -> list[Leg] | Reason:
        """Return the legs of the wallet, or why it did not trade: the program's reason if
        one did something else for it than swapping.
        """
        legs = finder.find()
        if not isinstance(legs, Reason):
            return self._activities.reason_of_no_trade(wallet) or legs
        if wallet not in self.deltas.signers:
            return legs
        own = self.deltas.by_owner[wallet].values()
        return self._activities.reason_of_change(wallet, legs, is_outflow=min(own) < 0)

    def _add_keeper_fills(self, wallets: set[str]) -> list[Reason]:
        """Add the trades of owners who did not sign, among the `wallets` whose units
        changed. Returns the reasons of those that did not trade.

        A fill by a keeper counts only if both legs are in the owner's own balances. The
        reasons matter only if nobody traded.
        """
        owners = sorted(wallets.difference(self.deltas.signers))
        reasons = self._add_trades_of(filter(is_wallet, owners)) if owners else []
        if Reason.TRANSFER in reasons and self.venues:
            return [Reason.KEEPER_FILL]
        if reasons:
            return reasons
        for mints in self.deltas.by_owner.values():
            if any(mints.values()):
                return [Reason.NO_WALLET]
        return []

    def _add_trades(self, wallet: str, legs: list[Leg], market_lamports: int) -> None:
        """Add one trade for each leg of the wallet. The first one gets all its costs.

        market_lamports: the wallet's SOL change without its costs.
        """
        costs = self._costs.costs_of(wallet)
        reconciliation = Reconciliation(self.deltas, self._calls)
        legs = reconciliation.adjusted(wallet, legs, costs.wrapped_transfer_lamports)
        rest_lamports = unexplained_lamports(legs, market_lamports)
        record = self.record
        for leg in legs:
            market = self.deltas.sole_market(leg.mint, wallet)
            reserves = self._reserves(market, leg)
            self.trades.append(
                Trade(
                    signature=record.signature,
                    slot=record.slot,
                    block_time=record.block_time,
                    wallet=wallet,
                    side=leg.side,
                    mint=leg.mint,
                    token_units=leg.units,
                    token_decimals=self.deltas.decimals_of(leg.mint),
                    quote_mint=leg.quote_mint,
                    quote_units=leg.quote_units,
                    network_fee_lamports=costs.network_fee_lamports,
                    tip_lamports=costs.tip_lamports,
                    platform_fee_lamports=costs.platform_fee_lamports,
                    rent_lamports=costs.rent_lamports,
                    transfer_lamports=costs.transfer_lamports,
                    unreconciled_lamports=rest_lamports,
                    venues=self.venues,
                    pool=None if market in SHARED_AUTHORITIES else market,
                    value_mint=leg.value_mint,
                    value_units=leg.value_units,
                    pool_quote_after=reserves.quote_units if reserves else None,
                    pool_base_after=reserves.base_units if reserves else None,
                )
            )
            costs, rest_lamports = NO_COSTS, 0

    def _reserves(self, market: str | None, leg: Leg) -> Reserves | None:
        """Return the reserves of the market of a trade for SOL, None if not known."""
        if market is None or leg.quote_mint != WRAPPED_SOL:
            return None
        return reserves_after(self.deltas, market, leg.mint, self.venues)


def _most_telling(reasons: Sequence[Reason]) -> Reason:
    """Return the reason that says most about the transaction, NO_TOKEN_CHANGE if there
    are none.
    """
    if len(reasons) == 1:
        return reasons[0]
    return min(reasons, key=_MOST_TELLING_FIRST.index, default=Reason.NO_TOKEN_CHANGE)


class _SignaturesOnly(msgspec.Struct):
    transaction: "_EnvelopeOnly"


class _EnvelopeOnly(msgspec.Struct):
    signatures: list[str]


def _signature_of(raw: bytes) -> str:
    """Return the signature of an unreadable record, or "". Truncated JSON is searched
    as text.
    """
    try:
        record = msgspec.json.decode(raw, type=_SignaturesOnly)
    except UNREADABLE:
        match = _SIGNATURE.search(raw)
        return match[1].decode() if match else ""
    return next(iter(record.transaction.signatures), "")
