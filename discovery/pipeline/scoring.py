"""Scores from stored profiles: nothing is fetched, and the same rows give the same scores."""

import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.utils import timezone

from discovery.analysis import flags
from discovery.analysis.cohort import SCORE_VERSION, estimate_prior
from discovery.analysis.decay import next_status
from discovery.analysis.figures import compute_figures
from discovery.analysis.scores import compute_score
from discovery.domain.profiles import Cycle, Prior, Score
from discovery.models import Run, Wallet
from discovery.models.enums import RunStatus
from discovery.pipeline.save_profile import cycles_by_wallet, kept_status, profile_of, seeds_by_wallet

log = logging.getLogger(__name__)

COHORT: int = 2000
"""Wallets whose records say what is usual: those of the run, then the last profiled ones."""


def cohort_prior(addresses: Iterable[str], now: int) -> Prior:
    """The prior of a run: its own candidates and the wallets profiled last, up to COHORT of them."""
    wanted = list(addresses)
    profiled = Wallet.objects.filter(profiled_at__isnull=False, too_active=False)
    chosen = list(profiled.filter(address__in=wanted).values_list("address", flat=True))
    others = profiled.exclude(address__in=wanted).order_by("-profiled_at", "address")
    chosen += others.values_list("address", flat=True)[: max(0, COHORT - len(chosen))]
    cycles, seeds = cycles_by_wallet(chosen), seeds_by_wallet(chosen)
    samples = {
        address: [cycle for cycle in cycles.get(address, []) if cycle.mint not in seeds.get(address, set())]
        for address in chosen
    }
    return estimate_prior(samples, now)


def latest_prior() -> tuple[Prior, Run | None]:
    """The prior of the last run that has one of this version; without any, the fallback."""
    runs = Run.objects.filter(status=RunStatus.COMPLETED).exclude(prior={}).order_by("-started_at")
    for run in runs[:20]:
        if run.prior.get("version") == SCORE_VERSION:
            return Prior.from_dict(run.prior), run
    return estimate_prior({}, 0), None


class Scored(msgspec.Struct, frozen=True):
    """A wallet's score with the values of its columns."""

    score: Score
    columns: dict[str, Any]


def scores(wallets: QuerySet[Wallet], prior: Prior, now: int) -> dict[str, Scored]:
    """The scores of these wallets, those without a profile left out. `now` in unix seconds. Three queries."""
    profiled = {wallet.address: wallet for wallet in wallets.filter(profiled_at__isnull=False)}
    cycles, seeds = cycles_by_wallet(profiled), seeds_by_wallet(profiled)
    found: dict[str, Scored] = {}
    for address, wallet in profiled.items():
        try:
            found[address] = _scored(wallet, cycles.get(address, []), seeds.get(address, set()), prior, now)
        except msgspec.ValidationError as error:
            log.warning("a stored profile is of another version", extra={"wallet": address, "cause": str(error)})
    return found


def _scored(wallet: Wallet, cycles: list[Cycle], seeds: AbstractSet[str], prior: Prior, now: int) -> Scored:
    profile = profile_of(wallet)
    held = {cycle.mint for cycle in cycles}
    if set(profile.seeds) != seeds & held:
        # A run found it through another token since: that one counts no more, at once.
        fresh = compute_figures(cycles, without=seeds, overhead_lamports=profile.overhead_lamports, sol_usd_at=None)
        profile = msgspec.structs.replace(profile, scored=fresh, seeds=tuple(sorted(seeds & held)))
    names = [*flags.address_flags(wallet.address), *wallet.flags]
    result = compute_score(profile, cycles, prior, seeds=seeds, flags=names, now=now)
    columns = {
        "score": result.value,
        "score_version": result.version,
        "provisional": result.provisional,
        "unscored_reason": result.reason,
        "score_detail": {
            "parts": msgspec.to_builtins(result.parts),
            "gates": msgspec.to_builtins(result.gates),
            "n": result.n,
            "n_eff": str(result.n_eff),
            "win_rate": None if result.win_rate is None else str(result.win_rate),
            "low": None if result.interval is None else str(result.interval[0]),
            "high": None if result.interval is None else str(result.interval[1]),
            "freshness": None if result.freshness is None else str(result.freshness),
            "provisional_because": list(result.provisional_because),
            "prior": prior.to_dict() | {"edges": len(prior.edges)},
        },
        "n_eff": result.n_eff,
        "resolved_cycles": profile.scored.counted,
        "win_rate": profile.scored.win_rate.value,
        "realised_lamports": profile.scored.net_lamports,
        "profile": msgspec.to_builtins(profile),
        "status": kept_status(next_status(wallet.status, profile)),
    }
    return Scored(result, columns)


def store_scores(found: Mapping[str, Scored], scored_in: Run | None) -> None:
    """Put scores into their wallets. An operator's changes are left alone: only columns of the score are written."""
    for address in sorted(found):
        Wallet.objects.filter(pk=address).update(**found[address].columns, scored_in=scored_in)


def rescore(addresses: Iterable[str] | None = None, batch: int = 500) -> int:
    """Score wallets anew from what is stored, with the last run's prior; how many. None = all that are profiled."""
    now = int(timezone.now().timestamp())
    prior, run = latest_prior()
    wallets = Wallet.objects.filter(profiled_at__isnull=False)
    chosen = sorted(wallets.values_list("address", flat=True) if addresses is None else addresses)
    for start in range(0, len(chosen), batch):
        store_scores(scores(wallets.filter(address__in=chosen[start : start + batch]), prior, now), run)
    return len(chosen)
