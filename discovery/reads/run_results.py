"""What one run found: its tokens, and the early buyers with what they took out."""

import uuid
from datetime import datetime
from decimal import Decimal

import msgspec

from discovery.models import Position, Run, RunWallet, Wallet


class FoundToken(msgspec.Struct, frozen=True):
    """A token of a run; counts None where it was not analysed."""

    mint: str
    symbol: str
    launched_at: datetime | None
    launch_clock: str
    early_buyers: int | None
    qualified: int | None


class FoundWallet(msgspec.Struct, frozen=True):
    """An early buyer on one token. `is_new` None and `score` None where it did not qualify or is not scored."""

    address: str
    mint: str
    symbol: str
    qualified: bool
    profit_pct: Decimal | None
    realised_lamports: int
    cost_lamports: int
    first_buy_at: datetime | None
    entry_rank: int | None
    entry_seconds: int | None
    history_incomplete: bool
    rejection: str
    flags: tuple[str, ...]
    is_new: bool | None
    score: Decimal | None
    provisional: bool


def tokens(run: Run) -> list[FoundToken]:
    """The tokens of a run, most promising first. One query."""
    rows = run.tokens.order_by("rank")
    return [
        FoundToken(row.mint, row.symbol, row.launched_at, row.launch_clock, row.early_buyers, row.qualified)
        for row in rows
    ]


def wallets(run_id: uuid.UUID, *, all_buyers: bool = False) -> list[FoundWallet]:
    """The early buyers of a run, those that qualified first, best profit first. Four queries.

    all_buyers: those that did not qualify as well, as long as no later run has looked at the same token.
    """
    run = Run.objects.get(pk=run_id)
    symbols = dict(run.tokens.values_list("mint", "symbol"))
    found = {(row.wallet_address, row.source_token): row for row in RunWallet.objects.filter(run=run)}
    positions = Position.objects.filter(run=run)
    if not all_buyers:
        positions = positions.filter(rejection="")
    provisional = set(
        Wallet.objects.filter(address__in={address for address, _ in found}, provisional=True).values_list(
            "address", flat=True
        )
    )
    rows = []
    for position in positions:
        row = found.get((position.wallet_address, position.mint))
        rows.append(
            FoundWallet(
                address=position.wallet_address,
                mint=position.mint,
                symbol=symbols.get(position.mint, "") or position.mint[:8],
                qualified=row is not None,
                profit_pct=position.profit_pct,
                realised_lamports=position.realised_lamports,
                cost_lamports=position.cost_lamports,
                first_buy_at=position.first_buy_at,
                entry_rank=position.entry_rank,
                entry_seconds=position.entry_seconds,
                history_incomplete=position.history_incomplete,
                rejection=position.rejection,
                flags=tuple(row.flags if row is not None else position.flags),
                is_new=row.is_new if row is not None else None,
                score=row.initial_score if row is not None else None,
                provisional=position.wallet_address in provisional,
            )
        )
    rows.sort(key=lambda each: (not each.qualified, -(each.profit_pct or 0), each.address, each.mint))
    return rows
