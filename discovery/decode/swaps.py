"""Trades out of balance changes, whatever the venue.

A trade needs a counterparty: another owner lost the units (they were not minted) and someone who holds token accounts
in the transaction gained the quote. The wallet's SOL leg is its change in native + wrapped SOL with network fee, tips,
platform fees and rent taken out. `docs/decoding.md` walks through the rules by kind.
"""

import re

import msgspec

from discovery.decode.counterparties import DUST_SHARE, Counterparties
from discovery.decode.deltas import Deltas
from discovery.decode.outcomes import Decoded, Failed, Outcome, Reason, Skipped
from discovery.decode.venues import service_lamports, venues
from discovery.domain.addresses import is_on_curve, is_wallet
from discovery.domain.programs import QUOTES, STABLES, WRAPPED_SOL
from discovery.domain.trades import HoldingChange, Side, Trade
from discovery.providers.errors import UNREADABLE
from discovery.providers.transactions import Meta, TransactionRecord, decode_record


class _Leg(msgspec.Struct, frozen=True, gc=False):
    side: Side
    mint: str
    units: int
    quote_mint: str
    quote_units: int


def decode_json(raw: bytes) -> Outcome:
    """One `getTransaction` result as JSON. One that cannot be read is Failed, with its signature where it has one."""
    try:
        record = decode_record(raw)
    except UNREADABLE as error:
        return Failed(_signature_of(raw), Reason.UNREADABLE, str(error))
    return decode(record)


def decode(record: TransactionRecord) -> Outcome:
    """Trades of one transaction, for every wallet in it."""
    meta = record.meta
    signatures = record.transaction.signatures
    if not signatures:
        return Failed("", Reason.UNREADABLE, "no signature")
    signature = signatures[0]
    if meta is None:
        return Failed(signature, Reason.NO_META)
    if meta.err is not None:
        return Skipped(signature, Reason.FAILED_TRANSACTION, record.slot, record.block_time)
    if not (meta.pre_token_balances or meta.post_token_balances):
        return Skipped(signature, Reason.NO_TOKEN_CHANGE, record.slot, record.block_time)
    try:
        return _Transaction(record, meta).outcome()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
        # Of the right shape and yet without sense: an index out of range, an instruction that is none.
        return Failed(signature, Reason.BAD_INDEX, f"{type(error).__name__}: {error}")


class _Transaction:
    """The working set of one transaction."""

    def __init__(self, record: TransactionRecord, meta: Meta) -> None:
        self.record = record
        self.meta = meta
        self.deltas = Deltas(record, meta)
        self.others = Counterparties(self.deltas)
        self._services: dict[str, tuple[int, int]] | None = None

    def outcome(self) -> Outcome:
        record, deltas = self.record, self.deltas
        changes = self._changes()
        moved = {change.wallet for change in changes}
        traders = [signer for signer in dict.fromkeys(deltas.signers) if signer in deltas.by_owner or signer in moved]
        trades: list[Trade] = []
        reasons: list[Reason] = []
        for signer in traders:
            found = self._legs(signer)
            if isinstance(found, Reason):
                reasons.append(found)
            else:
                trades += self._trades(signer, found)
        if not trades and not _CONCLUSIVE.intersection(reasons):
            reasons += self._not_signed(moved, trades)
        if trades:
            return Decoded(record.signature, record.slot, record.block_time, tuple(trades), changes)
        return Skipped(record.signature, self._first_reason(reasons), record.slot, record.block_time, changes)

    def _changes(self) -> tuple[HoldingChange, ...]:
        """Unit changes of on-curve owners in tokens that are no quote, with the balances around them."""
        found = []
        for owner, mints in self.deltas.by_owner.items():
            for mint, delta in mints.items():
                if delta and mint not in QUOTES and (owner in self.deltas.signers or is_on_curve(owner)):
                    before, after = self.deltas.units(owner, mint)
                    found.append(HoldingChange(owner, mint, before, after))
        return tuple(found)

    def _legs(self, wallet: str) -> list[_Leg] | Reason:
        """The wallet's legs, or why it has none."""
        mints = self.deltas.by_owner.get(wallet, {})
        gained: dict[str, int] = {}
        lost: dict[str, int] = {}
        stables: dict[str, int] = {}
        for mint, units in mints.items():
            if not units:
                continue
            if mint not in QUOTES:
                if units > 0:
                    gained[mint] = units
                else:
                    lost[mint] = -units
            elif mint in STABLES:
                stables[mint] = units
        if (gained and lost) or len(gained) > 1 or len(lost) > 1:
            for side in (gained, lost):
                for mint in [mint for mint, units in side.items() if self.others.is_leftover(wallet, mint, units)]:
                    del side[mint]
        market = self.market_lamports(wallet)
        if not gained and not lost:
            return self._without_tokens(wallet, stables, market)
        for mint, units in (*gained.items(), *lost.items()):
            if units == 1 and self.deltas.decimals[mint] == 0:
                minted = not self.others.others_moved(wallet, mint, -1) and not self.others.others_moved(
                    wallet, mint, 1
                )
                return Reason.LIQUIDITY if minted and len(gained) + len(lost) + len(stables) > 1 else Reason.NFT
        if gained and lost:
            return self._token_to_token(wallet, gained, lost)
        if gained:
            return self._against_quote(wallet, "buy", gained, stables, market)
        return self._against_quote(wallet, "sell", lost, stables, market)

    def _without_tokens(self, wallet: str, stables: dict[str, int], market: int) -> Reason:
        mints = self.deltas.by_owner.get(wallet, {})
        paid = [units for units in stables.values() if units < 0]
        got = [units for units in stables.values() if units > 0]
        if (paid and got) or (paid and market > 0) or (got and market < 0 and self.others.took_sol(wallet, 1)):
            return Reason.QUOTE_CONVERSION
        if self.others.crossed_pools(mints) or self.others.touched_and_left(mints, market):
            return Reason.ARBITRAGE
        if stables:
            return Reason.TRANSFER
        return Reason.NO_TOKEN_CHANGE

    def _token_to_token(self, wallet: str, gained: dict[str, int], lost: dict[str, int]) -> list[_Leg] | Reason:
        if any(not self.others.others_moved(wallet, mint, -1) for mint in gained):
            return Reason.LIQUIDITY
        if any(not self.others.others_moved(wallet, mint, 1) for mint in lost):
            return Reason.LIQUIDITY
        if len(gained) > 1 or len(lost) > 1:
            return Reason.AMBIGUOUS
        (bought, bought_units), (sold, sold_units) = *gained.items(), *lost.items()
        return [
            _Leg("sell", sold, sold_units, bought, bought_units),
            _Leg("buy", bought, bought_units, sold, sold_units),
        ]

    def _against_quote(
        self, wallet: str, side: Side, tokens: dict[str, int], stables: dict[str, int], market: int
    ) -> list[_Leg] | Reason:
        """Tokens all went one way: a trade where a quote went the other."""
        sign = -1 if side == "buy" else 1  # the wallet's quote moves against its tokens
        lamports = market * sign if market * sign > 0 and self.others.took_sol(wallet, -sign) else 0
        quotes = self._real_stables(wallet, stables, sign, lamports)
        if any(units < 0 for units in quotes.values()):
            return self._loop_or(Reason.LIQUIDITY, wallet)  # both sides went the same way
        # Beside a stable, SOL that no market kept, or a tenth of its worth at most, is fees and rent of others.
        kept = lamports and quotes and lamports <= 2 * self.others.sol_balance_lamports(wallet, -sign)
        if len(quotes) > 1 or (kept and lamports * 10 >= sum(quotes.values())):
            return Reason.AMBIGUOUS
        if quotes:
            (quote_mint, quote_units), *_ = quotes.items()
            if not self.others.others_moved(wallet, quote_mint, -sign):
                return Reason.TRANSFER
        elif lamports:
            quote_mint, quote_units = WRAPPED_SOL, lamports
        else:
            return self._one_way(wallet, side, tokens, market)
        missing = self._without_counterparty(wallet, side, sign, tokens)
        if missing is not None:
            return missing
        if len(tokens) == 1:
            (mint, units), *_ = tokens.items()
            return [_Leg(side, mint, units, quote_mint, quote_units)]
        return self._split(wallet, side, tokens, quote_mint, quote_units)

    def _real_stables(self, wallet: str, stables: dict[str, int], sign: int, lamports: int) -> dict[str, int]:
        """Stable legs without a route's leftovers and without dust beside a SOL leg; + against the tokens."""
        return {
            mint: units * sign
            for mint, units in stables.items()
            if not self.others.is_leftover(wallet, mint, units) and abs(units) * _DUST_LAMPORTS_PER_USD_UNIT >= lamports
        }

    def _without_counterparty(self, wallet: str, side: Side, sign: int, tokens: dict[str, int]) -> Reason | None:
        """Why some token has nobody on its other side, None where all have."""
        for mint, units in tokens.items():
            if self.others.others_moved(wallet, mint, sign):
                if self.others.both_ways(wallet, mint, sign, units):
                    return Reason.ARBITRAGE
            elif side == "buy":
                if not self.others.opened_market(wallet, mint):
                    return Reason.MINTED
            elif not self.others.crossed_pools(self.deltas.by_owner[wallet]):
                # Burned against a quote is a share given back; a redeemed token whose proceeds were sold on is a sale.
                return Reason.BURNED
        return None

    def _one_way(self, wallet: str, side: Side, tokens: dict[str, int], market: int) -> Reason:
        sign = -1 if side == "buy" else 1
        for mint in tokens:
            if not self.others.others_moved(wallet, mint, sign):
                return Reason.MINTED if side == "buy" else Reason.BURNED
        if market * sign < 0 and self.others.took_sol(wallet, sign):
            return self._loop_or(Reason.LIQUIDITY, wallet)
        return Reason.TRANSFER

    def _split(
        self, wallet: str, side: Side, tokens: dict[str, int], quote_mint: str, quote_units: int
    ) -> list[_Leg] | Reason:
        """Several tokens against one quote: by what each token's own market took or gave, never by unit count."""
        sign = 1 if side == "buy" else -1
        values: dict[str, int] = {}
        claimed: set[str] = set()
        for mint in tokens:
            markets = {
                owner
                for owner, mints in self.deltas.by_owner.items()
                if owner != wallet
                and mints.get(mint, 0) * sign < 0
                and self.others.quote_change(owner, quote_mint) * sign > 0
            }
            if not markets or markets & claimed:
                return Reason.AMBIGUOUS
            claimed |= markets
            values[mint] = sum(abs(self.others.quote_change(owner, quote_mint)) for owner in markets)
        total = sum(values.values())
        legs, left = [], quote_units
        *head, last = sorted(tokens)
        for mint in head:
            share = quote_units * values[mint] // total
            left -= share
            legs.append(_Leg(side, mint, tokens[mint], quote_mint, share))
        legs.append(_Leg(side, last, tokens[last], quote_mint, left))
        return legs

    def market_lamports(self, wallet: str) -> int:
        """The wallet's SOL change with fees, tips and rent put back: what the market gave (+) or took (-).

        Who did not sign paid nothing: the rent of its new account was somebody else's.
        """
        if wallet not in self.deltas.signers:
            return self.deltas.sol_lamports(wallet)
        tip, platform = self.services(wallet)
        return (
            self.deltas.sol_lamports(wallet)
            + self._network_fee(wallet)
            + tip
            + platform
            + self.deltas.rent_lamports(wallet)
        )

    def services(self, wallet: str) -> tuple[int, int]:
        if self._services is None:
            self._services = service_lamports(self.deltas, self.record)
        return self._services.get(wallet, (0, 0))

    def _network_fee(self, wallet: str) -> int:
        return self.meta.fee if self.deltas.keys[0] == wallet else 0

    def _loop_or(self, reason: Reason, wallet: str) -> Reason:
        return Reason.ARBITRAGE if self.others.crossed_pools(self.deltas.by_owner[wallet]) else reason

    def _not_signed(self, moved: set[str], trades: list[Trade]) -> list[Reason]:
        """Owners who did not sign: a keeper's fill counts only where both legs lie in the owner's own balances."""
        reasons: list[Reason] = []
        for owner in sorted(moved.difference(self.deltas.signers)):
            if not is_wallet(owner):
                continue
            found = self._legs(owner)
            if isinstance(found, Reason):
                reasons.append(found)
            else:
                trades += self._trades(owner, found)
        if not trades and Reason.TRANSFER in reasons and venues(self.deltas.keys):
            return [Reason.KEEPER_FILL]
        if not reasons and any(any(mints.values()) for mints in self.deltas.by_owner.values()):
            return [Reason.NO_WALLET]
        return reasons

    def _trades(self, wallet: str, legs: list[_Leg]) -> list[Trade]:
        record, deltas = self.record, self.deltas
        names = venues(deltas.keys)
        extras = (0, 0, 0, 0)
        if wallet in deltas.signers:
            extras = (self._network_fee(wallet), *self.services(wallet), deltas.rent_lamports(wallet))
        trades = []
        for leg in legs:
            fee, tip, platform, rent = extras
            trades.append(
                Trade(
                    signature=record.signature,
                    slot=record.slot,
                    block_time=record.block_time,
                    wallet=wallet,
                    side=leg.side,
                    mint=leg.mint,
                    token_units=leg.units,
                    token_decimals=deltas.decimals[leg.mint],
                    quote_mint=leg.quote_mint,
                    quote_units=leg.quote_units,
                    network_fee_lamports=fee,
                    tip_lamports=tip,
                    platform_fee_lamports=platform,
                    rent_lamports=rent,
                    venues=names,
                )
            )
            extras = (0, 0, 0, 0)  # a wallet's costs stand once, on its first line
        return trades

    def _first_reason(self, reasons: list[Reason]) -> Reason:
        """The most telling reason of several wallets: the one that says most about what happened."""
        for reason in _TELLING:
            if reason in reasons:
                return reason
        return Reason.NO_TOKEN_CHANGE


# Prices are not known here; between 1 and 1,000 USD per SOL holds for any trade of interest. A raw unit of a stable is
# 10⁻⁶ USD: at 1 USD per SOL it is worth 1,000 lamports, at 1,000 USD per SOL one lamport.
_DUST_LAMPORTS_PER_USD_UNIT = 1_000 * DUST_SHARE

_CONCLUSIVE = frozenset({Reason.AMBIGUOUS, Reason.QUOTE_CONVERSION, Reason.NFT})
"""Reasons that say what the signer did: nobody else's fill is looked for then."""

_TELLING = (
    Reason.AMBIGUOUS,
    Reason.KEEPER_FILL,
    Reason.QUOTE_CONVERSION,
    Reason.ARBITRAGE,
    Reason.NFT,
    Reason.LIQUIDITY,
    Reason.MINTED,
    Reason.BURNED,
    Reason.TRANSFER,
    Reason.NO_WALLET,
)


_SIGNATURE = re.compile(rb'"signatures"\s*:\s*\[\s*"([1-9A-HJ-NP-Za-km-z]{64,90})"')


class _OnlySignatures(msgspec.Struct):
    transaction: "_OnlyEnvelope"


class _OnlyEnvelope(msgspec.Struct):
    signatures: list[str]


def _signature_of(raw: bytes) -> str:
    """The signature of a record whose rest is not as documented, or "". Cut JSON is searched as text."""
    try:
        found = msgspec.json.decode(raw, type=_OnlySignatures)
    except UNREADABLE:
        match = _SIGNATURE.search(raw)
        return match[1].decode() if match else ""
    return found.transaction.signatures[0] if found.transaction.signatures else ""
