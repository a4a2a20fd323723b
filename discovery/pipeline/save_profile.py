"""Profiles into rows: the wallet's columns, its cycles and its trades, all or nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
from django.db import transaction
from django.db.models import Case, CharField, Value, When
from django.utils import timezone

from discovery.analysis.decay import next_status
from discovery.clients.usage import Usage
from discovery.domain.profiles import Cycle as CycleResult
from discovery.domain.profiles import Profile
from discovery.jobs import run_lifecycle, step_queue
from discovery.models import Cycle, Position, RunToken, RunWallet, Wallet
from discovery.models.enums import WalletStatus
from discovery.pipeline import save_token
from discovery.pipeline.profile_wallet import WalletContext, WalletResult

_TIMES: Final = frozenset({"opened_at", "closed_at", "resolved_at", "last_trade_at"})
_CYCLE_FIELDS: Final = CycleResult.__struct_fields__


def load_wallet_context(address: str) -> WalletContext:
    """The wallet's seed tokens and its place among early buyers."""
    seeds = RunWallet.objects.filter(wallet_address=address).values_list("source_token", flat=True)
    entered = Position.objects.filter(wallet_address=address, entry_rank__isnull=False)
    ranks = dict(entered.values_list("mint", "entry_rank"))
    analysed = RunToken.objects.filter(mint__in=ranks, early_buyers__isnull=False)
    counts = dict(analysed.order_by("pk").values_list("mint", "early_buyers"))
    return WalletContext(
        seeds=frozenset(seeds),
        entries={
            mint: (rank, max(rank, buyers))
            for mint, rank in ranks.items()
            if rank is not None and (buyers := counts.get(mint)) is not None
        },
    )


def store_step(claim: step_queue.Claim, usage: Usage, result: WalletResult, errors: list[dict[str, str]]) -> bool:
    """A profile and the completion of its step. False where step or run was not ours any more."""
    with transaction.atomic():
        counts = {"transactions": result.transactions, "cycles": len(result.cycles)}
        if not run_lifecycle.lock_active_run(claim.run_id) or not step_queue.complete(claim, counts, usage, errors):
            return False
        store_profile(result)
    return True


def store_profile(result: WalletResult) -> None:
    """The profile of one wallet instead of what was there. Called inside a transaction."""
    wallet = Wallet.objects.select_for_update().filter(address=result.address).first()
    if wallet is None:
        return
    profile = result.profile
    scored = profile.scored
    Cycle.objects.filter(wallet_address=result.address).delete()
    Cycle.objects.bulk_create([_row(result.address, cycle) for cycle in result.cycles], batch_size=save_token.BATCH)
    save_token.store_trades(result.trades)
    of_tokens = {name: words for name, words in wallet.flags.items() if name in TOKEN_FLAGS}
    Wallet.objects.filter(pk=wallet.pk).update(
        status=kept_status(next_status(wallet.status, profile)),
        profile=msgspec.to_builtins(profile),
        profiled_at=timezone.now(),
        profile_error="",
        profile_requested_at=None,
        too_active=profile.truncated,
        flags={**of_tokens, **result.flags},
        resolved_cycles=scored.counted,
        win_rate=scored.win_rate.value,
        realised_lamports=scored.net_lamports,
        coverage=scored.coverage,
        funder=result.funder or wallet.funder,
        last_trade_at=save_token.moment(profile.last_trade_at),
    )


TOKEN_FLAGS: Final = frozenset({"creator", "sniper", "bundle", "funded_by_creator", "wash"})
"""Flags that tokens give a wallet; the others come from its own habits and are seen anew by every profile."""


def kept_status(new: str) -> Case:
    """`new`, but a wallet that somebody blacklisted meanwhile stays so."""
    return Case(
        When(status=WalletStatus.BLACKLISTED, then=Value(str(WalletStatus.BLACKLISTED))),
        default=Value(new),
        output_field=CharField(),
    )


def _row(address: str, cycle: CycleResult) -> Cycle:
    values: dict[str, Any] = {name: getattr(cycle, name) for name in _CYCLE_FIELDS}
    for name in _TIMES:
        values[name] = save_token.moment(values[name])
    return Cycle(wallet_address=address, **values)


def cycle_of(row: Cycle) -> CycleResult:
    """A stored cycle as analysis knows it."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _CYCLE_FIELDS}
    for name in _TIMES:
        at = cast("datetime | None", values[name])
        values[name] = None if at is None else int(at.astimezone(UTC).timestamp())
    values["held_units"] = int(values["held_units"])
    return CycleResult(**values)


def profile_of(wallet: Wallet) -> Profile:
    """The stored profile. Raises msgspec.ValidationError where an older version wrote it otherwise."""
    return msgspec.convert(wallet.profile, Profile, strict=False)


def cycles_by_wallet(addresses: Iterable[str]) -> dict[str, list[CycleResult]]:
    """Every stored cycle of these wallets, one query."""
    found: dict[str, list[CycleResult]] = {}
    rows = Cycle.objects.filter(wallet_address__in=list(addresses)).order_by(
        "wallet_address", "opened_at", "mint", "number"
    )
    for row in rows:
        found.setdefault(row.wallet_address, []).append(cycle_of(row))
    return found


def seeds_by_wallet(addresses: Iterable[str]) -> dict[str, set[str]]:
    """Every seed token of these wallets, one query."""
    found: dict[str, set[str]] = {}
    rows = RunWallet.objects.filter(wallet_address__in=list(addresses))
    for address, mint in rows.values_list("wallet_address", "source_token").distinct():
        found.setdefault(address, set()).add(mint)
    return found
