"""Findings into rows. Storing twice is harmless: every fact has its identity in a unique constraint."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any, Final, cast

from django.db import transaction

from discovery.clients.usage import Usage
from discovery.domain.findings import Candidate, EarlyBuyer, LaunchClock
from discovery.domain.units import fraction_to_decimal, round_half_even
from discovery.jobs import run_lifecycle, step_queue
from discovery.models import (
    Position,
    Run,
    RunToken,
    RunWallet,
    Trade,
    Wallet,
)
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStage, StepKind, WalletStatus
from discovery.pipeline.analyse_token import TokenResult
from discovery.pipeline.balance_history import ValuedTrade
from discovery.pipeline.find_tokens import TokenSearchResult

ROW_VERSION: Final = 1
BATCH: Final = 1000
_MAX_USD: Final = Decimal(10) ** 17  # what numeric(20,2) and (24,2) hold with room; a market says any nonsense
_MAX_PCT: Final = Decimal(10) ** 17


def moment(seconds: int | None) -> datetime | None:
    """Unix seconds as a time with zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def store_found(
    claim: step_queue.Claim,
    usage: Usage,
    found: TokenSearchResult,
    *,
    source: str,
    source_note: str,
    errors: list[dict[str, str]],
) -> bool:
    """What the run saw of its tokens before it analysed them, a step for each, and the completion of the search."""
    rows = [
        RunToken(
            run_id=claim.run_id,
            mint=token.mint,
            symbol=token.symbol,
            name=token.name,
            rank=rank,
            sources=list(token.sources),
            pools=list(token.pools),
            price_usd=_bounded(token.price_usd, 18),
            price_change_pct=_bounded(token.price_change_24h_pct, 2),
            volume_usd=_bounded(token.volume_24h_usd, 2),
            liquidity_usd=_bounded(token.liquidity_usd, 2),
            market_cap_usd=_bounded(token.market_cap_usd, 2),
            transactions_24h=None if token.transactions_24h is None else min(token.transactions_24h, 2**62),
            launched_at=moment(token.launched_at),
            launch_clock=token.launch_clock,
        )
        for rank, token in enumerate(found.tokens, 1)
    ]
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=claim.run_id, status__in=ACTIVE_RUN_STATUSES)
        if run.first() is None or not step_queue.complete(claim, {"tokens": len(rows)}, usage, errors):
            return False
        RunToken.objects.bulk_create(rows, ignore_conflicts=True)
        step_queue.add(claim.run_id, StepKind.TOKEN, [token.mint for token in found.tokens])
        Run.objects.filter(pk=claim.run_id).update(
            stage=RunStage.ANALYSE, funnel=found.funnel, source=source, source_note=source_note
        )
    return True


def candidate(run_id: uuid.UUID, mint: str) -> Candidate:
    """A token as the search left it."""
    row = RunToken.objects.get(run_id=run_id, mint=mint)
    return Candidate(
        mint=row.mint,
        symbol=row.symbol,
        name=row.name,
        sources=tuple(row.sources),
        pools=tuple(row.pools),
        price_usd=row.price_usd,
        price_change_24h_pct=row.price_change_pct,
        volume_24h_usd=row.volume_usd,
        liquidity_usd=row.liquidity_usd,
        market_cap_usd=row.market_cap_usd,
        transactions_24h=row.transactions_24h,
        launched_at=None if row.launched_at is None else int(row.launched_at.timestamp()),
        launch_clock=cast("LaunchClock", row.launch_clock),
    )


def _bounded(value: Decimal | None, places: int) -> Decimal | None:
    if value is None or not value.is_finite() or abs(value) >= _MAX_USD:
        return None
    with localcontext() as context:
        context.prec = 60  # the default 28 digits do not hold 17 before the point and 18 behind it
        return value.quantize(Decimal(1).scaleb(-places))


def store_token(claim: step_queue.Claim, usage: Usage, result: TokenResult, errors: list[dict[str, str]]) -> bool:
    """The findings and the completion of their step, all or nothing. False where step or run was not ours any more."""
    qualified = [buyer for buyer in result.buyers if buyer.qualified]
    run_id = claim.run_id
    with transaction.atomic():
        counts = {"early_buyers": len(result.buyers), "qualified": len(qualified), "transactions": result.transactions}
        # Held until the end: a run that was closed meanwhile has been counted and takes nothing more.
        if not run_lifecycle.lock_active_run(run_id):
            return False
        if not step_queue.complete(claim, counts, usage, errors):
            return False
        # Wallets before trades, as a profile takes them: two orders would wait for each other.
        _store_wallets(run_id, qualified)
        _store_flags(result.buyers)
        store_trades(result.trades)
        _store_positions(run_id, result.buyers)
        RunToken.objects.filter(run_id=run_id, mint=result.candidate.mint).update(
            launched_at=moment(result.launched_at),
            launch_clock=result.launch_clock,
            funnel=result.funnel,
            creator=result.creator,
            **counts,
        )
    return True


def store_trades(trades: Iterable[ValuedTrade]) -> None:
    """Facts of the chain; one that is there already gets its price where it had none."""
    rows = [
        Trade(
            signature=valued.trade.signature,
            wallet_address=valued.trade.wallet,
            mint=valued.trade.mint,
            slot=valued.trade.slot or 0,
            block_time=moment(valued.block_time),
            side=valued.trade.side,
            token_units=valued.trade.token_units,
            token_decimals=valued.trade.token_decimals,
            quote_mint=valued.trade.quote_mint,
            quote_units=valued.trade.quote_units,
            value_lamports=None if valued.value_lamports is None else round_half_even(valued.value_lamports),
            network_fee_lamports=valued.trade.network_fee_lamports,
            tip_lamports=valued.trade.tip_lamports,
            platform_fee_lamports=valued.trade.platform_fee_lamports,
            rent_lamports=valued.trade.rent_lamports,
            venues=list(valued.trade.venues),
        )
        for valued in trades
    ]
    rows.sort(key=lambda row: (row.signature, row.wallet_address))
    Trade.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["signature", "wallet_address", "mint"],
        update_fields=["slot", "block_time", "value_lamports"],
    )


def _store_positions(run_id: uuid.UUID, buyers: Iterable[EarlyBuyer]) -> None:
    rows = [Position(run_id=run_id, **position_values(buyer)) for buyer in buyers]
    rows.sort(key=lambda row: row.wallet_address)
    Position.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["wallet_address", "mint"],
        update_fields=[name for name in ("run", *position_values_names()) if name not in {"wallet_address", "mint"}],
    )


def position_values_names() -> tuple[str, ...]:
    """The columns `position_values` fills."""
    return (
        "wallet_address",
        "mint",
        "first_buy_at",
        "last_trade_at",
        "entry_rank",
        "entry_seconds",
        "buys",
        "sells",
        "cost_lamports",
        "realised_lamports",
        "unmatched_lamports",
        "profit_pct",
        "held_units",
        "history_incomplete",
        "rejection",
        "flags",
    )


def position_values(buyer: EarlyBuyer) -> dict[str, Any]:
    """An early buyer's position as columns: rounded half-even here and nowhere before."""
    position = buyer.position
    return {
        "wallet_address": buyer.wallet,
        "mint": buyer.mint,
        "first_buy_at": moment(buyer.first_buy_time),
        "last_trade_at": moment(position.last_trade_time),
        "entry_rank": buyer.entry_rank,
        "entry_seconds": buyer.entry_seconds,
        "buys": position.buys,
        "sells": position.sells,
        "cost_lamports": round_half_even(position.cost_basis_lamports),
        "realised_lamports": round_half_even(position.realised_lamports),
        "unmatched_lamports": round_half_even(position.unmatched_proceeds_lamports),
        "profit_pct": profit_pct(buyer),
        "held_units": round_half_even(position.held_known_units + position.held_unknown_units),
        "history_incomplete": position.history_incomplete,
        "rejection": buyer.rejection,
        "flags": list(buyer.flags),
    }


def profit_pct(buyer: EarlyBuyer) -> Decimal | None:
    """The profit to two digits, None where nothing was put in; nonsense past numeric(20,2) is cut to its edge."""
    exact = buyer.position.profit_pct
    return None if exact is None else min(fraction_to_decimal(exact, 2), _MAX_PCT)


def _store_flags(buyers: Iterable[EarlyBuyer]) -> None:
    """What the token says of wallets of the watchlist, qualified here or not: a creator stays one elsewhere."""
    flagged = {buyer.wallet: buyer.flags for buyer in buyers if buyer.flags}
    add_flags(flagged)


def add_flags(flagged: Mapping[str, Mapping[str, str]]) -> None:
    """Flags with their evidence onto wallets of the watchlist; others are passed over. In the caller's transaction."""
    rows = list(Wallet.objects.select_for_update().filter(address__in=list(flagged)).order_by("address"))
    for row in rows:
        row.flags = {**row.flags, **flagged[row.address]}
    Wallet.objects.bulk_update(rows, ["flags"], batch_size=BATCH)


def _store_wallets(run_id: uuid.UUID, qualified: Sequence[EarlyBuyer]) -> None:
    addresses = sorted(buyer.wallet for buyer in qualified)
    Wallet.objects.bulk_create(
        [Wallet(address=address, status=WalletStatus.INSUFFICIENT_DATA, first_run_id=run_id) for address in addresses],
        ignore_conflicts=True,
    )
    new = set(Wallet.objects.filter(address__in=addresses, first_run_id=run_id).values_list("address", flat=True))
    RunWallet.objects.bulk_create(
        [
            RunWallet(
                run_id=run_id,
                wallet_address=buyer.wallet,
                source_token=buyer.mint,
                is_new=buyer.wallet in new,
                profit_pct=profit_pct(buyer),
                realised_lamports=round_half_even(buyer.position.realised_lamports),
                cost_lamports=round_half_even(buyer.position.cost_basis_lamports),
                first_buy_at=moment(buyer.first_buy_time),
                entry_rank=buyer.entry_rank,
                entry_seconds=buyer.entry_seconds,
                flags=list(buyer.flags),
                row_version=ROW_VERSION,
            )
            for buyer in qualified
        ],
        ignore_conflicts=True,
    )
