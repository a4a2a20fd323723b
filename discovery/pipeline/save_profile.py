"""Save profiles: the wallet's columns, its cycles and its trades. And load what a score
starts from.
"""

from collections import ChainMap
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

import msgspec

from discovery.analysis.decay import next_status
from discovery.domain.flags import TOKEN_FLAGS
from discovery.domain.profiles import Cycle as CycleResult
from discovery.domain.profiles import Profile
from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import Cycle, Wallet
from discovery.models.enums import WalletStatus
from discovery.pipeline.late_reserves import save_late_reserves
from discovery.pipeline.profile_wallet import WalletResult
from discovery.pipeline.save_trades import BATCH, save_balance_changes, save_trades
from discovery.pipeline.stored_histories import save_histories
from discovery.pipeline.token_evidence import WalletEvidence, save_token_results

_TIMES: Final = frozenset({"opened_at", "closed_at", "resolved_at", "last_trade_at"})
_CYCLE_FIELDS: Final = CycleResult.__struct_fields__
_PROFILE_COLUMNS: Final = (
    "status",
    "profile",
    "profiled_at",
    "profile_error",
    "profile_requested_at",
    "too_active",
    "flags",
    "resolved_cycles",
    "win_rate",
    "realised_lamports",
    "coverage",
    "funder",
    "read_from",
    "refreshed_at",
    "last_trade_at",
)


def save_profiles(results: Sequence[WalletResult]) -> None:
    """Replace the profiles of wallets; a wallet that is not stored is ignored, and so is a
    profile that is older than the stored one. Called inside a transaction. Ten
    statements, and two for late prices.
    """
    addresses = [result.address for result in results]
    # One order for every writer: two orders would wait for each other.
    stored = Wallet.objects.select_for_update().filter(address__in=addresses)
    wallets = {wallet.address: wallet for wallet in stored.order_by("address")}
    current = [
        result for result in results if _is_newer(result, wallets.get(result.address))
    ]
    if not current:
        return
    _save_cycles(current)
    save_trades(chain.from_iterable(result.trades for result in current))
    save_late_reserves(ChainMap(*(dict(result.late) for result in current)))
    save_balance_changes(
        chain.from_iterable(result.other_changes for result in current)
    )
    save_histories(result.reading for result in current)
    save_token_results(
        WalletEvidence(
            result.address, result.token_results, result.bag_sources, result.as_of
        )
        for result in current
    )
    for result in current:
        _set_profile(wallets[result.address], result)
    changed = [wallets[result.address] for result in current]
    # An upsert of rows that exist and are locked: one short statement for all of them.
    Wallet.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["address"],
        update_fields=_PROFILE_COLUMNS,
    )


def _is_newer(result: WalletResult, wallet: Wallet | None) -> bool:
    if wallet is None:
        return False
    as_of = datetime_from_unix(result.as_of)
    return wallet.profiled_at is None or wallet.profiled_at <= as_of


def _save_cycles(results: Sequence[WalletResult]) -> None:
    addresses = [result.address for result in results]
    Cycle.objects.filter(wallet_address__in=addresses).delete()
    rows = [
        _cycle_row(result.address, cycle)
        for result in results
        for cycle in result.cycles
    ]
    Cycle.objects.bulk_create(rows, batch_size=BATCH)


def _set_profile(wallet: Wallet, result: WalletResult) -> None:
    """Set the columns of a profile."""
    profile, scored = result.profile, result.profile.scored
    if wallet.status != WalletStatus.BLACKLISTED:
        wallet.status = next_status(wallet.status, profile)
    # A history that was not read says nothing about earlier flags.
    flags_that_stay = {
        name: evidence
        for name, evidence in wallet.flags.items()
        if profile.truncated or name in TOKEN_FLAGS
    }
    wallet.profile = msgspec.to_builtins(profile)
    wallet.profiled_at = datetime_from_unix(result.as_of)
    wallet.profile_error = ""
    wallet.profile_requested_at = None
    wallet.too_active = profile.truncated
    wallet.flags = {**flags_that_stay, **result.flags}
    wallet.resolved_cycles = scored.counted
    wallet.win_rate = scored.win_rate.value
    wallet.realised_lamports = scored.net_lamports
    wallet.coverage = scored.coverage
    wallet.funder = result.reading.history.funder or wallet.funder
    wallet.read_from = result.reading.read_from
    wallet.refreshed_at = datetime_from_unix(result.as_of)
    wallet.last_trade_at = datetime_from_unix(profile.last_trade_at)


def _cycle_row(address: str, cycle: CycleResult) -> Cycle:
    values: dict[str, Any] = {name: getattr(cycle, name) for name in _CYCLE_FIELDS}
    for name in _TIMES:
        values[name] = datetime_from_unix(values[name])
    return Cycle(wallet_address=address, **values)


def cycle_from_row(row: Cycle) -> CycleResult:
    """Return a stored cycle as analysis knows it, times in unix seconds."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _CYCLE_FIELDS}
    for name in _TIMES:
        values[name] = unix_from_datetime(values[name])
    values["held_units"] = int(values["held_units"])
    return CycleResult(**values)


def stored_profile(wallet: Wallet) -> Profile:
    """Return the stored profile. Raises msgspec.ValidationError if another version of
    the code wrote it.
    """
    return msgspec.convert(wallet.profile, Profile, strict=False)


def cycles_by_wallet(addresses: Iterable[str]) -> dict[str, list[CycleResult]]:
    """Return every stored cycle of these wallets. One query."""
    cycles: dict[str, list[CycleResult]] = {}
    rows = Cycle.objects.filter(wallet_address__in=list(addresses)).order_by(
        "wallet_address", "opened_at", "mint", "number"
    )
    for row in rows:
        cycles.setdefault(row.wallet_address, []).append(cycle_from_row(row))
    return cycles
