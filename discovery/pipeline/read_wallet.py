"""Read the transactions of a wallet: all of the days of a profile, or only those that are
newer than what is stored.
"""

from datetime import datetime
from typing import Final

import msgspec
from django.conf import settings

from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.analysis.token_results import YOUNG_SECONDS
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.times import datetime_from_unix
from discovery.pipeline.orders import read_orders
from discovery.pipeline.wallet_history import WalletHistory
from discovery.providers import helius
from discovery.providers.concurrency import gather_or_cancel

MAX_TRANSACTIONS_BY_TIME: Final = 5_000
MAX_TRANSACTIONS_BY_SIGNATURE: Final = 1_000
"""Transactions of a wallet that a profile reads: Helius returns a thousand a call,
plain RPC one.
"""


class StoredHistory(msgspec.Struct, frozen=True):
    """What the last profile read. begins_at: unix seconds from which transactions are
    known. is_cut: older ones within the days of a profile were left out.
    """

    history: WalletHistory
    begins_at: int
    is_cut: bool


class WalletReading(msgspec.Struct, frozen=True):
    """The history of a wallet from `begins_at` on, in unix seconds.

    since: where the days of a profile begin. is_cut: it begins later, because there are
    too many transactions. is_refresh: only newer transactions were read. failed_count:
    of transactions that could not be read.
    """

    history: WalletHistory
    since: int
    begins_at: int
    is_cut: bool
    is_refresh: bool

    @property
    def failed_count(self) -> int:
        """Transactions that could not be read."""
        return len(self.history.failed_times)

    @property
    def read_from(self) -> datetime | None:
        """The time from which a history that was cut is known, None if it is whole."""
        return datetime_from_unix(self.begins_at) if self.is_cut else None

    def is_too_short(self, now: int) -> bool:
        """Return True if the history was cut so short that no token of it can count."""
        return self.is_cut and now - self.begins_at <= YOUNG_SECONDS


async def read_wallet(
    address: str,
    stored: StoredHistory | None,
    source: TransactionSource,
    *,
    now: int,
) -> WalletReading:
    """Return the wallet's history of PROFILE_LOOKBACK_DAYS before `now` (unix seconds),
    or of its newest transactions if there are too many. Raises ProviderError.
    """
    since = now - settings.PROFILE_LOOKBACK_DAYS * SECONDS_PER_DAY
    limit = _limit(source)
    reading = None
    if stored is not None and (stored.is_cut or stored.begins_at <= since):
        reading = await _read_newer(stored, source, since=since, limit=limit)
    if reading is None:
        reading = await _read_all(address, source, since=since, limit=limit)
    await _read_orders(reading, source)
    return reading


def _limit(source: TransactionSource) -> int:
    if source.source == helius.NAME:
        return MAX_TRANSACTIONS_BY_TIME
    return MAX_TRANSACTIONS_BY_SIGNATURE


async def _read_newer(
    stored: StoredHistory, source: TransactionSource, *, since: int, limit: int
) -> WalletReading | None:
    """Return the stored history with what is newer, None if it must be read from the
    chain again. Raises ProviderError.
    """
    history = stored.history
    last = history.last
    if last is None:
        return None
    newer = await source.fetch_after(history.address, last, limit)
    if newer is None:
        return None
    history.extend(newer.transactions)
    if newer.newest_signature:
        history.last_signature = newer.newest_signature
    begins_at = max(since, stored.begins_at)
    is_cut = stored.begins_at > since
    if len(history.times) > limit:
        begins_at, is_cut = history.times[-limit], True
    history.drop_before(begins_at)
    return WalletReading(history, since, begins_at, is_cut=is_cut, is_refresh=True)


async def _read_all(
    address: str, source: TransactionSource, *, since: int, limit: int
) -> WalletReading:
    """Return the history that the chain shows. Raises ProviderError."""
    transactions = await source.fetch_all_or_none(address, since, limit)
    if transactions is not None:
        history = WalletHistory(address, transactions)
        return WalletReading(history, since, since, is_cut=False, is_refresh=False)
    newest = await source.fetch_newest(address, since, limit)
    # Others of the same second may have been left out.
    begins_at = newest[0].block_time + 1 if newest else since
    whole = [each for each in newest if each.block_time >= begins_at]
    history = WalletHistory(address, whole)
    return WalletReading(history, since, begins_at, is_cut=True, is_refresh=False)


async def _read_orders(reading: WalletReading, source: TransactionSource) -> None:
    """Add what left the orders of the wallet. Orders of which everything has left are
    not read again. Raises ProviderError.
    """
    history = reading.history
    open_mints = [
        mint for mint in history.traded_mints() if not _is_settled(history, mint)
    ]
    releases = await gather_or_cancel(
        read_orders(history.changes[mint], source) for mint in open_mints
    )
    history.releases.update(zip(open_mints, releases, strict=True))


def _is_settled(history: WalletHistory, mint: str) -> bool:
    """Return True if all units that went into orders are known to have left them."""
    deposits = [change for change in history.changes[mint] if change.escrow]
    deposited_units = sum(change.escrow_units for change in deposits)
    released_units = sum(
        release.release.sold_units + release.release.returned_units
        for release in history.releases.get(mint, ())
    )
    return deposited_units <= released_units
