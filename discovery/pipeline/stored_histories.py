"""Histories of wallets in the database: saved with a profile, read by the next one."""

import logging
from collections.abc import Iterable

from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import WalletHistory as WalletHistoryRow
from discovery.pipeline.read_wallet import StoredHistory, WalletReading
from discovery.pipeline.wallet_history import FORM_VERSION, Unreadable, WalletHistory

log = logging.getLogger(__name__)


def save_histories(readings: Iterable[WalletReading]) -> None:
    """Replace the stored histories of wallets. Called inside a transaction. One
    statement.
    """
    WalletHistoryRow.objects.bulk_create(
        [_row(reading) for reading in readings],
        update_conflicts=True,
        unique_fields=["wallet_address"],
        update_fields=["version", "begins_at", "is_cut", "transactions", "body"],
    )


def _row(reading: WalletReading) -> WalletHistoryRow:
    history = reading.history
    return WalletHistoryRow(
        wallet_address=history.address,
        version=FORM_VERSION,
        begins_at=datetime_from_unix(reading.begins_at),
        is_cut=reading.is_cut,
        transactions=len(history.times),
        body=history.to_bytes(),
    )


def stored_histories(addresses: Iterable[str]) -> dict[str, StoredHistory]:
    """Return wallet → what the last profile read of it, without what cannot be read any
    more. One query.
    """
    rows = WalletHistoryRow.objects.filter(
        wallet_address__in=list(addresses), version=FORM_VERSION
    )
    histories: dict[str, StoredHistory] = {}
    for row in rows:
        address = row.wallet_address
        try:
            history = WalletHistory.from_bytes(address, bytes(row.body))
        except Unreadable as error:
            log.warning(
                "stored history cannot be read",
                extra={"wallet": address, "cause": str(error)},
            )
            continue
        begins_at = unix_from_datetime(row.begins_at)
        histories[address] = StoredHistory(history, begins_at, row.is_cut)
    return histories
