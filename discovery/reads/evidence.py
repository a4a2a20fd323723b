"""The evidence for a wallet's score: its judgement, its tokens, its cycles, and the
trades of each cycle.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from discovery.models import Cycle, RunWallet, Trade, Wallet
from discovery.models.enums import WalletOrigin
from discovery.reads.token_results import TokenResultRow, all_tokens


class EvidenceTrade(msgspec.Struct, frozen=True):
    """One buy or sale. Lamports are None if no price is known."""

    signature: str
    slot: int
    block_time: datetime | None
    side: str
    token_units: str
    value_lamports: int | None


class EvidenceCycle(msgspec.Struct, frozen=True):
    """One holding of a token with its transactions, from the first units of a flat
    wallet until it is flat again.
    """

    mint: str
    number: int
    result: str
    why: str
    left_out: str
    is_seed: bool
    opened_at: datetime
    resolved_at: datetime | None
    put_in_lamports: int
    matched_lamports: int
    net_lamports: int | None
    fees_lamports: int
    unmatched_lamports: int
    knowledge: str
    unknown_reason: str
    first_signature: str
    trades: tuple[EvidenceTrade, ...]


class WalletEvidence(msgspec.Struct, frozen=True):
    """A wallet's score with its evidence."""

    address: str
    status: str
    is_control: bool
    verdict: str
    reason: str
    score: Decimal | None
    score_version: int | None
    edge_pct: Decimal | None
    edge_low_pct: Decimal | None
    edge_high_pct: Decimal | None
    scored_tokens: int | None
    effective_tokens: Decimal | None
    q_value: Decimal | None
    p_value: Decimal | None
    profiled_at: datetime | None
    detail: dict[str, Any]
    flags: dict[str, str]
    seeds: tuple[str, ...]
    tokens: list[TokenResultRow]
    cycles: tuple[EvidenceCycle, ...]

    def to_json_object(self) -> dict[str, Any]:
        """Return the evidence for JSON: lamports as strings, times in ISO 8601."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        for name in _RATIOS:
            value: Decimal | None = getattr(self, name)
            values[name] = None if value is None else float(value)
        for token in values["tokens"]:
            _stringify(token, TOKEN_AMOUNTS)
        for cycle in values["cycles"]:
            _stringify(cycle, CYCLE_AMOUNTS)
            for trade in cycle["trades"]:
                _stringify(trade, TRADE_AMOUNTS)
        return values


_RATIOS: Final = (
    "score",
    "edge_pct",
    "edge_low_pct",
    "edge_high_pct",
    "effective_tokens",
    "q_value",
    "p_value",
)
TOKEN_AMOUNTS: Final = ("put_in_lamports", "proceeds_lamports", "bag_lamports")
CYCLE_AMOUNTS: Final = (
    "put_in_lamports",
    "matched_lamports",
    "net_lamports",
    "fees_lamports",
    "unmatched_lamports",
)
TRADE_AMOUNTS: Final = ("value_lamports",)


def _stringify(row: dict[str, Any], names: tuple[str, ...]) -> None:
    """Replace amounts by strings: JSON numbers lose digits beyond 2⁵³."""
    for name in names:
        if row[name] is not None:
            row[name] = str(row[name])


def wallet_evidence(address: str) -> WalletEvidence | None:
    """Return the evidence, or None if the wallet is not on the watchlist. Six queries."""
    wallet = Wallet.objects.filter(pk=address).first()
    if wallet is None:
        return None
    seeds = RunWallet.objects.seeds([address]).get(address, set())
    return WalletEvidence(
        address=address,
        status=wallet.status,
        is_control=wallet.origin == WalletOrigin.CONTROL,
        verdict=wallet.verdict,
        reason=wallet.verdict_reason,
        score=wallet.score,
        score_version=wallet.score_version,
        edge_pct=wallet.edge_pct,
        edge_low_pct=wallet.edge_low_pct,
        edge_high_pct=wallet.edge_high_pct,
        scored_tokens=wallet.scored_tokens,
        effective_tokens=wallet.n_eff,
        q_value=wallet.q_value,
        p_value=wallet.p_value,
        profiled_at=wallet.profiled_at,
        detail=wallet.score_detail,
        flags=wallet.flags,
        seeds=tuple(sorted(seeds)),
        tokens=all_tokens(address),
        cycles=_cycles(address, seeds),
    )


def _cycles(address: str, seeds: set[str]) -> tuple[EvidenceCycle, ...]:
    trades: dict[str, list[Trade]] = {}
    for trade in Trade.objects.filter(wallet_address=address).order_by(
        "slot", "signature", "mint"
    ):
        trades.setdefault(trade.mint, []).append(trade)
    cycles = list(
        Cycle.objects.filter(wallet_address=address).order_by(
            "opened_at", "mint", "number"
        )
    )
    openings = {(cycle.mint, cycle.number): cycle.opened_at for cycle in cycles}
    rows = []
    for cycle in cycles:
        next_opening = openings.get((cycle.mint, cycle.number + 1))
        own = [
            trade
            for trade in trades.get(cycle.mint, [])
            if _is_within(trade, cycle.opened_at, next_opening)
        ]
        rows.append(_cycle(cycle, own, is_seed=cycle.mint in seeds))
    return tuple(rows)


def _is_within(
    trade: Trade, opened_at: datetime, next_opening: datetime | None
) -> bool:
    """Return True if the trade happened from the opening of a cycle until the next
    cycle of the token opened.
    """
    if trade.block_time is None or trade.block_time < opened_at:
        return False
    return next_opening is None or trade.block_time < next_opening


def _cycle(cycle: Cycle, trades: list[Trade], *, is_seed: bool) -> EvidenceCycle:
    return EvidenceCycle(
        mint=cycle.mint,
        number=cycle.number,
        result=cycle.result,
        why=cycle.close_reason,
        left_out=cycle.exclusion_reason,
        is_seed=is_seed,
        opened_at=cycle.opened_at,
        resolved_at=cycle.resolved_at,
        put_in_lamports=cycle.put_in_lamports,
        matched_lamports=cycle.matched_lamports,
        net_lamports=cycle.net_lamports,
        fees_lamports=cycle.fees_lamports,
        unmatched_lamports=cycle.unmatched_lamports,
        knowledge=cycle.knowledge,
        unknown_reason=cycle.unknown_reason,
        first_signature=cycle.first_signature,
        trades=tuple(_trade(trade) for trade in trades),
    )


def _trade(trade: Trade) -> EvidenceTrade:
    return EvidenceTrade(
        signature=trade.signature,
        slot=trade.slot,
        block_time=trade.block_time,
        side=trade.side,
        token_units=str(trade.token_units),
        value_lamports=trade.value_lamports,
    )
