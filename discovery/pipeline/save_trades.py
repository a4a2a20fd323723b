"""Save trades and balance changes: facts of the chain, whose identity is a unique
constraint, so that saving twice is harmless.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from discovery.domain.times import datetime_from_unix
from discovery.domain.units import round_half_even
from discovery.models import BalanceChange as BalanceChangeRow
from discovery.models import Trade
from discovery.pipeline.balance_history import BalanceChange
from discovery.pipeline.valuation import ValuedTrade

BATCH: Final = 1000
AnyRow = TypeVar("AnyRow", Trade, BalanceChangeRow)
_AMOUNTS: Final = (
    "side",
    "token_units",
    "quote_mint",
    "quote_units",
    "network_fee_lamports",
    "tip_lamports",
    "platform_fee_lamports",
    "rent_lamports",
    "transfer_lamports",
    "unreconciled_lamports",
    "pool",
    "pool_quote_after",
    "pool_base_after",
)


def save_trades(trades: Iterable[ValuedTrade]) -> None:
    """Save the trades. One that is stored already gets the amounts as they are decoded
    now: an earlier version may have read the transaction otherwise.
    """
    # One order for every writer: two orders would wait for each other.
    rows = _each_once(_row(valued) for valued in trades)
    Trade.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["signature", "wallet_address", "mint"],
        update_fields=[*_AMOUNTS, "slot", "block_time", "value_lamports"],
    )


def _each_once(rows: Iterable[AnyRow]) -> list[AnyRow]:
    """Return the rows by their identity, sorted: one statement cannot save a row twice."""
    by_identity = {(row.signature, row.wallet_address, row.mint): row for row in rows}
    return [by_identity[identity] for identity in sorted(by_identity)]


def _row(valued: ValuedTrade) -> Trade:
    trade = valued.trade
    value = valued.value_lamports
    return Trade(
        signature=trade.signature,
        wallet_address=trade.wallet,
        mint=trade.mint,
        slot=trade.slot or 0,
        block_time=datetime_from_unix(valued.block_time),
        side=trade.side,
        token_units=trade.token_units,
        token_decimals=trade.token_decimals,
        quote_mint=trade.quote_mint,
        quote_units=trade.quote_units,
        value_lamports=None if value is None else round_half_even(value),
        network_fee_lamports=trade.network_fee_lamports,
        tip_lamports=trade.tip_lamports,
        platform_fee_lamports=trade.platform_fee_lamports,
        rent_lamports=trade.rent_lamports,
        transfer_lamports=trade.transfer_lamports,
        unreconciled_lamports=trade.unreconciled_lamports,
        pool=trade.pool,
        pool_quote_after=trade.pool_quote_after,
        pool_base_after=trade.pool_base_after,
        venues=list(trade.venues),
    )


def save_balance_changes(changes: Iterable[BalanceChange]) -> None:
    """Save the balance changes without a trade. One that is stored already gets the
    units and the reason as they are decoded now.
    """
    rows = _each_once(_change_row(change) for change in changes)
    BalanceChangeRow.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["signature", "wallet_address", "mint"],
        update_fields=["units", "reason"],
    )


def _change_row(change: BalanceChange) -> BalanceChangeRow:
    return BalanceChangeRow(
        signature=change.position.signature,
        wallet_address=change.wallet,
        mint=change.mint,
        slot=change.position.slot,
        block_time=datetime_from_unix(change.block_time),
        units=change.units,
        reason=change.reason,
    )
