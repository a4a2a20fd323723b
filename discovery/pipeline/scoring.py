"""Judgements from stored token results: nothing is fetched, and the same rows give the
same judgements.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import transaction

from discovery.analysis.decay import next_status
from discovery.analysis.evidence import Evidence
from discovery.analysis.figures import compute_figures
from discovery.analysis.judging import SCORE_VERSION, judge
from discovery.analysis.population import estimate_prior
from discovery.analysis.statistics import to_decimal
from discovery.analysis.token_results import TokenResult
from discovery.domain.judgements import Judgement, Population, Prior
from discovery.domain.profiles import Cycle, Profile
from discovery.models import Run, RunWallet, Wallet
from discovery.models.enums import WalletOrigin, WalletStatus
from discovery.models.querysets import WalletQuerySet
from discovery.pipeline.judged_wallets import JudgedWallet
from discovery.pipeline.save_profile import (
    cycles_by_wallet,
    stored_profile,
)
from discovery.pipeline.snapshots import record_snapshots
from discovery.pipeline.token_evidence import (
    evidence_of_wallet,
    flags_of_wallet,
    load_token_results,
)
from discovery.providers.batches import batches
from walltrack import clock

log = logging.getLogger(__name__)

MAX_COHORT_WALLETS: Final = 2000
"""Wallets that a prior is estimated from: those of the run, then the ones profiled
last.
"""
RESCORE_BATCH: Final = 500
_TOO_ACTIVE: Final = "too active: it has more transactions than a profile reads"
_JUDGED_COLUMNS: Final = (
    "score",
    "verdict",
    "edge_pct",
    "edge_low_pct",
    "edge_high_pct",
    "q_value",
    "p_value",
    "scored_tokens",
    "n_eff",
    "score_version",
    "verdict_reason",
    "score_detail",
    "resolved_cycles",
    "win_rate",
    "realised_lamports",
    "profile",
    "status",
    "scored_in",
)
_SCORE_PLACES: Final = 4
_EDGE_PLACES: Final = 4
_SHARE_PLACES: Final = 6


def judge_cohort(
    addresses: Iterable[str], others: Iterable[str] = ()
) -> tuple[dict[str, JudgedWallet], Population]:
    """Judge wallets against a prior that is estimated from them and from the ones
    profiled last. Wallets without a profile have no judgement. Four queries.

    addresses: the wallets of a run. others: wallets that are judged as well.
    """
    judged_addresses = {*addresses, *others}
    cohort = _cohort(sorted(judged_addresses))
    seeds = RunWallet.objects.seeds(wallet.address for wallet in cohort)
    results = load_token_results((wallet.address for wallet in cohort), seeds)
    judgements, population = judge(_evidences(cohort, results))
    wallets = [wallet for wallet in cohort if wallet.address in judged_addresses]
    by_address = {judgement.wallet: judgement for judgement in judgements}
    return _judged(wallets, by_address, seeds, results), population


def _cohort(addresses: Sequence[str]) -> list[Wallet]:
    """Return the wallets with a profile: the given ones, then those profiled last."""
    profiled = Wallet.objects.profiled()
    wallets = list(profiled.filter(address__in=addresses).order_by("address"))
    room = max(0, MAX_COHORT_WALLETS - len(wallets))
    others = profiled.exclude(address__in=addresses)
    wallets += others.order_by("-profiled_at", "address")[:room]
    return wallets


def _evidences(
    wallets: Sequence[Wallet], results: Mapping[str, Sequence[TokenResult]]
) -> list[Evidence]:
    return [
        evidence_of_wallet(wallet, results.get(wallet.address, ()))
        for wallet in wallets
    ]


def latest_prior() -> tuple[Prior, Run | None]:
    """Return the prior of the last run that has one of this version, and that run; else
    that of a first run and None.
    """
    runs = Run.objects.completed().filter(prior__version=SCORE_VERSION)
    run = runs.only("prior").order_by("-started_at").first()
    if run is None:
        return estimate_prior([]), None
    return Prior.from_dict(run.prior), run


def stored_prior(population: Population) -> dict[str, Any]:
    """Return the prior of a population as it is stored with a run, with the figures of
    the population that are shown.
    """
    return {
        **population.prior.to_dict(),
        "version": SCORE_VERSION,
        "pi0": population.pi0,
        "luck_share": population.luck_share,
        "follow_luck": population.follow_luck,
    }


def judge_wallets(wallets: WalletQuerySet, prior: Prior) -> dict[str, JudgedWallet]:
    """Return the judgements of these wallets by address; wallets without a profile have
    none. Four queries.
    """
    profiled = list(wallets.profiled().order_by("address"))
    seeds = RunWallet.objects.seeds(wallet.address for wallet in profiled)
    results = load_token_results((wallet.address for wallet in profiled), seeds)
    judgements, _ = judge(_evidences(profiled, results), prior)
    by_address = {judgement.wallet: judgement for judgement in judgements}
    return _judged(profiled, by_address, seeds, results)


def _judged(
    wallets: Sequence[Wallet],
    judgements: Mapping[str, Judgement],
    seeds: Mapping[str, AbstractSet[str]],
    results: Mapping[str, Sequence[TokenResult]],
) -> dict[str, JudgedWallet]:
    cycles = cycles_by_wallet(wallet.address for wallet in wallets)
    judged: dict[str, JudgedWallet] = {}
    for wallet in wallets:
        address = wallet.address
        try:
            profile = stored_profile(wallet)
        except msgspec.ValidationError as error:
            log.warning(
                "stored profile has another version",
                extra={"wallet": address, "cause": str(error)},
            )
            continue
        own_seeds = seeds.get(address, frozenset())
        profile = _with_seeds(profile, cycles.get(address, []), own_seeds)
        judgement = judgements[address]
        if wallet.too_active:
            judgement = msgspec.structs.replace(judgement, reason=_TOO_ACTIVE)
        judged[address] = JudgedWallet(
            judgement,
            _columns(wallet, profile, judgement),
            wallet.profiled_at,
            origin=WalletOrigin(wallet.origin),
            known_since=wallet.first_discovered_at,
            flags=flags_of_wallet(wallet),
            seeds=tuple(sorted(own_seeds)),
            results=results.get(address, ()),
        )
    return judged


def _with_seeds(
    profile: Profile, cycles: Sequence[Cycle], seeds: AbstractSet[str]
) -> Profile:
    """Return the profile with the figures of the tokens that are no seeds: the profile
    may be older than the discovery.
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


def _columns(wallet: Wallet, profile: Profile, judgement: Judgement) -> dict[str, Any]:
    return {
        **judgement_columns(judgement),
        "score_version": SCORE_VERSION,
        "verdict_reason": judgement.reason,
        "score_detail": {
            "leader_edge_pct": judgement.leader_edge_pct,
            "known_share": judgement.known_share,
            "depends_on_one_token": judgement.depends_on_one_token,
            "basis": judgement.basis,
            "low": _float_or_none(profile.scored.win_rate.low),
            "high": _float_or_none(profile.scored.win_rate.high),
        },
        "resolved_cycles": profile.scored.counted,
        "win_rate": profile.scored.win_rate.value,
        "realised_lamports": profile.scored.net_lamports,
        "profile": msgspec.to_builtins(profile),
        "status": next_status(wallet.status, profile),
    }


def judgement_columns(judgement: Judgement) -> dict[str, Any]:
    """Return the figures of a judgement as columns store them."""
    return {
        "score": _decimal_or_none(judgement.score, _SCORE_PLACES),
        "verdict": judgement.verdict.value,
        "edge_pct": _decimal_or_none(judgement.edge_pct, _EDGE_PLACES),
        "edge_low_pct": _decimal_or_none(judgement.edge_low_pct, _EDGE_PLACES),
        "edge_high_pct": _decimal_or_none(judgement.edge_high_pct, _EDGE_PLACES),
        "q_value": _decimal_or_none(judgement.q_value, _SHARE_PLACES),
        "p_value": _decimal_or_none(judgement.p_value, _SHARE_PLACES),
        "scored_tokens": judgement.tokens,
        "n_eff": to_decimal(judgement.effective_tokens),
    }


def _float_or_none(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _decimal_or_none(value: float | None, places: int) -> Decimal | None:
    return None if value is None else to_decimal(value, places)


def save_judgements(judged: Mapping[str, JudgedWallet], run: Run | None) -> None:
    """Save the judgements, and those that changed as snapshots. Only columns of the
    score are written: what an operator changed meanwhile stays. A wallet with a newer
    profile is passed over: who stored that judges it. Called inside a transaction.

    run: the run whose prior the wallets were judged against.
    """
    saved: dict[str, JudgedWallet] = {}
    for addresses in batches(sorted(judged), RESCORE_BATCH):
        stored = Wallet.objects.select_for_update().filter(address__in=addresses)
        unchanged = [
            wallet
            for wallet in stored.order_by("address")
            if wallet.profiled_at == judged[wallet.address].profiled_at
        ]
        for wallet in unchanged:
            _set_columns(wallet, judged[wallet.address], run)
            saved[wallet.address] = judged[wallet.address]
        # An upsert of rows that exist and are locked: one statement for all of them.
        Wallet.objects.bulk_create(
            unchanged,
            update_conflicts=True,
            unique_fields=["address"],
            update_fields=_JUDGED_COLUMNS,
        )
    record_snapshots(saved, run, clock.now())


def _set_columns(wallet: Wallet, judged: JudgedWallet, run: Run | None) -> None:
    status = wallet.status
    for name, value in judged.columns.items():
        setattr(wallet, name, value)
    if status == WalletStatus.BLACKLISTED:
        wallet.status = status
    wallet.scored_in = run


def rescore(
    addresses: Iterable[str] | None = None, *, batch: int = RESCORE_BATCH
) -> int:
    """Judge wallets again from what is stored, with the last run's prior; return how
    many. None: all with a profile.
    """
    prior, run = latest_prior()
    wallets = Wallet.objects.profiled()
    if addresses is None:
        addresses = wallets.values_list("address", flat=True)
    ordered = sorted(addresses)
    for addresses_of_batch in batches(ordered, batch):
        of_batch = wallets.filter(address__in=addresses_of_batch)
        judged = judge_wallets(of_batch, prior)
        with transaction.atomic():
            save_judgements(judged, run)
    return len(ordered)
