"""Everything a wallet's score rests on: gates, parts, cycles, and the trades of each cycle."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from discovery.models import Cycle, RunWallet, Trade, Wallet


class EvidenceTrade(msgspec.Struct, frozen=True):
    """One buy or sale. Lamports None where no price is known."""

    signature: str
    slot: int
    block_time: datetime | None
    side: str
    token_units: str
    value_lamports: int | None


class EvidenceCycle(msgspec.Struct, frozen=True):
    """One holding, flat to flat, with its transactions."""

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
    net_lamports: int
    fees_lamports: int
    unmatched_lamports: int
    first_signature: str
    trades: tuple[EvidenceTrade, ...]


class Evidence(msgspec.Struct, frozen=True):
    """A wallet's score with its reasons."""

    address: str
    status: str
    score: Decimal | None
    provisional: bool
    reason: str
    profiled_at: datetime | None
    gates: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    detail: dict[str, Any]
    flags: dict[str, str]
    seeds: tuple[str, ...]
    cycles: tuple[EvidenceCycle, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON: lamports as strings, times in ISO-8601."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        plain["score"] = None if self.score is None else float(self.score)
        for cycle in plain["cycles"]:
            for row in (cycle, *cycle["trades"]):
                row.update(
                    {name: str(row[name]) for name in row if name.endswith("_lamports") and row[name] is not None}
                )
        return plain


def wallet_evidence(address: str) -> Evidence | None:
    """None where the wallet is not on the watchlist. Four queries."""
    wallet = Wallet.objects.filter(pk=address).first()
    if wallet is None:
        return None
    seeds = set(RunWallet.objects.filter(wallet_address=address).values_list("source_token", flat=True))
    of_mint: dict[str, list[Trade]] = {}
    for trade in Trade.objects.filter(wallet_address=address).order_by("slot", "signature", "mint"):
        of_mint.setdefault(trade.mint, []).append(trade)
    cycles = list(Cycle.objects.filter(wallet_address=address).order_by("opened_at", "mint", "number"))
    ends = {(cycle.mint, cycle.number): cycle.opened_at for cycle in cycles}
    return Evidence(
        address=address,
        status=wallet.status,
        score=wallet.score,
        provisional=wallet.provisional,
        reason=wallet.unscored_reason,
        profiled_at=wallet.profiled_at,
        gates=wallet.score_detail.get("gates", []),
        parts=wallet.score_detail.get("parts", []),
        detail={name: value for name, value in wallet.score_detail.items() if name not in {"gates", "parts"}},
        flags=wallet.flags,
        seeds=tuple(sorted(seeds)),
        cycles=tuple(
            _cycle(cycle, cycle.mint in seeds, of_mint.get(cycle.mint, []), ends.get((cycle.mint, cycle.number + 1)))
            for cycle in cycles
        ),
    )


def _cycle(cycle: Cycle, is_seed: bool, trades: list[Trade], next_opened_at: datetime | None) -> EvidenceCycle:
    """Its trades are those from its opening until the next holding of the token begins."""
    own = [
        trade
        for trade in trades
        if trade.block_time is not None
        and trade.block_time >= cycle.opened_at
        and (next_opened_at is None or trade.block_time < next_opened_at)
    ]
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
        first_signature=cycle.first_signature,
        trades=tuple(
            EvidenceTrade(
                trade.signature, trade.slot, trade.block_time, trade.side, str(trade.token_units), trade.value_lamports
            )
            for trade in own
        ),
    )
