"""Scores from stored profiles: nothing is fetched, and the same rows give the same
scores.
"""

import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from django.utils import timezone

from discovery.analysis import flags
from discovery.analysis.cohort import SCORE_VERSION, estimate_prior
from discovery.analysis.decay import next_status
from discovery.analysis.figures import compute_figures
from discovery.analysis.scores import compute_score
from discovery.domain.profiles import Cycle, Prior, Profile, Score
from discovery.models import Run, Wallet
from discovery.models.querysets import WalletQuerySet
from discovery.pipeline.save_profile import (
    cycles_by_wallet,
    seeds_by_wallet,
    status_unless_blacklisted,
    stored_profile,
)
from discovery.providers.batches import batches

log = logging.getLogger(__name__)

MAX_COHORT_WALLETS: Final = 2000
"""Wallets that a prior is estimated from: those of the run, then the ones profiled
last.
"""
MAX_RUNS_LOOKED_AT: Final = 20
RESCORE_BATCH: Final = 500


class Scored(msgspec.Struct, frozen=True):
    """A wallet's score with the values of its columns."""

    score: Score
    columns: dict[str, Any]


def cohort_prior(addresses: Iterable[str], now: int) -> Prior:
    """Estimate the prior of a run from its own wallets and the ones profiled last.
    `now` in unix seconds.
    """
    cohort = _cohort(list(addresses))
    cycles, seeds = cycles_by_wallet(cohort), seeds_by_wallet(cohort)
    samples: dict[str, list[Cycle]] = {}
    for address in cohort:
        wallet_seeds = seeds.get(address, set())
        samples[address] = [
            cycle for cycle in cycles.get(address, []) if cycle.mint not in wallet_seeds
        ]
    return estimate_prior(samples, now)


def _cohort(addresses: list[str]) -> list[str]:
    profiled = Wallet.objects.profiled().filter(too_active=False)
    of_run = list(
        profiled.filter(address__in=addresses).values_list("address", flat=True)
    )
    room = max(0, MAX_COHORT_WALLETS - len(of_run))
    others = profiled.exclude(address__in=addresses).order_by("-profiled_at", "address")
    return of_run + list(others.values_list("address", flat=True)[:room])


def latest_prior() -> tuple[Prior, Run | None]:
    """Return the prior of the last run that has one of this version, and that run; else
    the fallback and None.
    """
    runs = Run.objects.completed().exclude(prior={}).order_by("-started_at")
    for run in runs[:MAX_RUNS_LOOKED_AT]:
        if run.prior.get("version") == SCORE_VERSION:
            return Prior.from_dict(run.prior), run
    return estimate_prior({}, 0), None


def score_wallets(wallets: WalletQuerySet, prior: Prior, now: int) -> dict[str, Scored]:
    """Return the scores of these wallets by address; wallets without a profile have
    none. Three queries.

    now: unix seconds.
    """
    profiled = {wallet.address: wallet for wallet in wallets.profiled()}
    cycles, seeds = cycles_by_wallet(profiled), seeds_by_wallet(profiled)
    scores: dict[str, Scored] = {}
    for address, wallet in profiled.items():
        try:
            profile = stored_profile(wallet)
        except msgspec.ValidationError as error:
            log.warning(
                "stored profile has another version",
                extra={"wallet": address, "cause": str(error)},
            )
            continue
        wallet_cycles, wallet_seeds = cycles.get(address, []), seeds.get(address, set())
        profile = _without_new_seeds(profile, wallet_cycles, wallet_seeds)
        names = [*flags.address_flags(address), *wallet.flags]
        result = compute_score(
            profile, wallet_cycles, prior, seeds=wallet_seeds, flags=names, now=now
        )
        scores[address] = Scored(result, _columns(wallet, profile, result, prior))
    return scores


def _without_new_seeds(
    profile: Profile, cycles: list[Cycle], seeds: AbstractSet[str]
) -> Profile:
    """Return the profile without tokens through which a run found the wallet since:
    they count no more, at once.
    """
    held_seeds = seeds & {cycle.mint for cycle in cycles}
    if set(profile.seeds) == held_seeds:
        return profile
    scored = compute_figures(
        cycles,
        without=seeds,
        overhead_lamports=profile.overhead_lamports,
        sol_usd_at=None,
    )
    return msgspec.structs.replace(
        profile, scored=scored, seeds=tuple(sorted(held_seeds))
    )


def _columns(
    wallet: Wallet, profile: Profile, result: Score, prior: Prior
) -> dict[str, Any]:
    return {
        "score": result.value,
        "score_version": result.version,
        "provisional": result.provisional,
        "unscored_reason": result.reason,
        "score_detail": _detail(result, prior),
        "n_eff": result.n_eff,
        "resolved_cycles": profile.scored.counted,
        "win_rate": profile.scored.win_rate.value,
        "realised_lamports": profile.scored.net_lamports,
        "profile": msgspec.to_builtins(profile),
        "status": status_unless_blacklisted(next_status(wallet.status, profile)),
    }


def _detail(result: Score, prior: Prior) -> dict[str, Any]:
    low, high = result.interval or (None, None)
    return {
        "parts": msgspec.to_builtins(result.parts),
        "gates": msgspec.to_builtins(result.gates),
        "n": result.n,
        "n_eff": str(result.n_eff),
        "win_rate": _text_or_none(result.win_rate),
        "low": _text_or_none(low),
        "high": _text_or_none(high),
        "freshness": _text_or_none(result.freshness),
        "provisional_because": list(result.provisional_because),
        "prior": prior.to_dict() | {"edges": len(prior.edges)},
    }


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def save_wallet_scores(scores: Mapping[str, Scored], run: Run | None) -> None:
    """Save the scores. Only columns of the score are written: what an operator changed
    meanwhile stays.

    run: the run whose prior the scores were shrunk towards.
    """
    for address in sorted(scores):
        Wallet.objects.filter(pk=address).update(
            **scores[address].columns, scored_in=run
        )


def rescore(
    addresses: Iterable[str] | None = None, *, batch: int = RESCORE_BATCH
) -> int:
    """Score wallets again from what is stored, with the last run's prior; return how
    many. None: all with a profile.
    """
    now = int(timezone.now().timestamp())
    prior, run = latest_prior()
    wallets = Wallet.objects.profiled()
    if addresses is None:
        addresses = wallets.values_list("address", flat=True)
    ordered = sorted(addresses)
    for addresses_of_batch in batches(ordered, batch):
        of_batch = wallets.filter(address__in=addresses_of_batch)
        save_wallet_scores(score_wallets(of_batch, prior, now), run)
    return len(ordered)
