"""Save profiles: the wallet's columns, its cycles and its trades. And load what a score
starts from.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from django.db.models import Case, CharField, Value, When

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
from discovery.pipeline.stored_histories import save_history
from discovery.pipeline.token_evidence import save_token_results

_TIMES: Final = frozenset({"opened_at", "closed_at", "resolved_at", "last_trade_at"})
_CYCLE_FIELDS: Final = CycleResult.__struct_fields__


def save_profile(result: WalletResult) -> None:
    """Replace the profile of one wallet; a wallet off the watchlist is ignored, and so
    is a profile that is older than the stored one. Called inside a transaction.
    """
    wallet = Wallet.objects.select_for_update().filter(address=result.address).first()
    if wallet is None:
        return
    as_of = datetime_from_unix(result.as_of)
    if wallet.profiled_at is not None and wallet.profiled_at > as_of:
        return
    profile = result.profile
    scored = profile.scored
    Cycle.objects.filter(wallet_address=result.address).delete()
    rows = [_cycle_row(result.address, cycle) for cycle in result.cycles]
    Cycle.objects.bulk_create(rows, batch_size=BATCH)
    save_trades(result.trades)
    save_late_reserves(result.late)
    save_balance_changes(result.other_changes)
    save_history(result.reading)
    save_token_results(
        result.address, result.token_results, result.bag_sources, result.as_of
    )
    # A history that was not read says nothing about earlier flags.
    flags_that_stay = {
        name: evidence
        for name, evidence in wallet.flags.items()
        if profile.truncated or name in TOKEN_FLAGS
    }
    Wallet.objects.filter(pk=wallet.pk).update(
        status=status_unless_blacklisted(next_status(wallet.status, profile)),
        profile=msgspec.to_builtins(profile),
        profiled_at=as_of,
        profile_error="",
        profile_requested_at=None,
        too_active=profile.truncated,
        flags={**flags_that_stay, **result.flags},
        resolved_cycles=scored.counted,
        win_rate=scored.win_rate.value,
        realised_lamports=scored.net_lamports,
        coverage=scored.coverage,
        funder=result.reading.history.funder or wallet.funder,
        read_from=result.reading.read_from,
        refreshed_at=as_of,
        last_trade_at=datetime_from_unix(profile.last_trade_at),
    )


def status_unless_blacklisted(new_status: str) -> Case:
    """Return `new_status` as an expression that leaves a blacklisted wallet as it is."""
    return Case(
        When(
            status=WalletStatus.BLACKLISTED, then=Value(str(WalletStatus.BLACKLISTED))
        ),
        default=Value(new_status),
        output_field=CharField(),
    )


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
