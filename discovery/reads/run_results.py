"""Results of one run: its tokens, and the early buyers with their profit."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from discovery.models import Position, Run, RunWallet, Wallet


class FoundToken(msgspec.Struct, frozen=True):
    """A token of a run. Its counts are None if it was not analysed."""

    mint: str
    symbol: str
    launched_at: datetime | None
    launch_clock: str
    window_read_until: datetime | None
    early_buyers: int | None
    qualified: int | None


class FoundWallet(msgspec.Struct, frozen=True):
    """An early buyer of one token. `is_new` is None if it did not qualify, `score` if
    it did not or has no score. verdict and edges are those of the wallet now, "" and
    None if it is not on the watchlist.
    """

    address: str
    mint: str
    symbol: str
    qualified: bool
    profit_pct: Decimal | None
    realised_lamports: int | None
    cost_lamports: int
    first_buy_at: datetime | None
    entry_rank: int | None
    entry_seconds: int | None
    knowledge: str
    unknown_reason: str
    known_share: Decimal | None
    has_moved_out: bool
    later_cycles: int
    history_incomplete: bool
    rejection: str
    flags: tuple[str, ...]
    is_new: bool | None
    score: Decimal | None
    verdict: str
    verdict_reason: str
    edge_pct: Decimal | None
    edge_low_pct: Decimal | None
    edge_high_pct: Decimal | None


def found_tokens(run: Run) -> list[FoundToken]:
    """Return the tokens of a run, most promising first. One query."""
    return [
        FoundToken(
            mint=row.mint,
            symbol=row.symbol,
            launched_at=row.launched_at,
            launch_clock=row.launch_clock,
            window_read_until=row.window_read_until,
            early_buyers=row.early_buyers,
            qualified=row.qualified,
        )
        for row in run.tokens.order_by("rank")
    ]


def found_wallets(run_id: uuid.UUID, *, all_buyers: bool = False) -> list[FoundWallet]:
    """Return the early buyers of a run, qualified ones first, best profit first. Four
    queries.

    all_buyers: include buyers that did not qualify, unless a later run has analysed the
    same token. Raises Run.DoesNotExist.
    """
    run = Run.objects.get(pk=run_id)
    symbols = dict(run.tokens.values_list("mint", "symbol"))
    qualified = {
        (row.wallet_address, row.source_token): row
        for row in RunWallet.objects.filter(run=run)
    }
    judged = Wallet.objects.judgements({address for address, _ in qualified})
    positions = Position.objects.filter(run=run)
    if not all_buyers:
        positions = positions.filter(rejection="")
    wallets = []
    for position in positions:
        row = qualified.get((position.wallet_address, position.mint))
        judgement = judged.get(position.wallet_address, {})
        symbol = symbols.get(position.mint, "")
        wallets.append(_found_wallet(position, row, symbol, judgement))
    wallets.sort(key=_best_first)
    return wallets


def _found_wallet(
    position: Position,
    row: RunWallet | None,
    symbol: str,
    judgement: Mapping[str, Any],
) -> FoundWallet:
    return FoundWallet(
        address=position.wallet_address,
        mint=position.mint,
        symbol=symbol or position.mint[:8],
        qualified=row is not None,
        profit_pct=position.profit_pct,
        realised_lamports=position.realised_lamports,
        cost_lamports=position.cost_lamports,
        first_buy_at=position.first_buy_at,
        entry_rank=position.entry_rank,
        entry_seconds=position.entry_seconds,
        knowledge=position.knowledge,
        unknown_reason=position.unknown_reason,
        known_share=position.known_share,
        has_moved_out=position.has_moved_out,
        later_cycles=position.later_cycles,
        history_incomplete=position.history_incomplete,
        rejection=position.rejection,
        flags=tuple(position.flags if row is None else row.flags),
        is_new=None if row is None else row.is_new,
        score=None if row is None else row.initial_score,
        verdict=judgement.get("verdict", ""),
        verdict_reason=judgement.get("verdict_reason", ""),
        edge_pct=judgement.get("edge_pct"),
        edge_low_pct=judgement.get("edge_low_pct"),
        edge_high_pct=judgement.get("edge_high_pct"),
    )


def _best_first(wallet: FoundWallet) -> tuple[bool, Decimal, str, str]:
    return (
        not wallet.qualified,
        -(wallet.profit_pct or Decimal(0)),
        wallet.address,
        wallet.mint,
    )
