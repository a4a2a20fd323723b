"""The last step of a run: bundles are told, its wallets are scored against each other, and the run is closed."""

import logging
from collections import defaultdict

from django.db import transaction
from django.db.models import Min

from discovery.analysis.flags import bundles
from discovery.models import DiscoveryRun, DiscoveryRunWallet, DiscoveryTrade, DiscoveryWallet
from discovery.runs import ledger, steps
from discovery.runs.scoring import cohort_prior, scores, store_scores

log = logging.getLogger(__name__)


def finish(claim: steps.Claim, now: int) -> bool:
    """Score and close. `now` in unix seconds. False where step or run was not ours any more."""
    run = DiscoveryRun.objects.get(pk=claim.run_id)
    addresses = sorted(set(run.wallets.values_list("wallet_address", flat=True)))
    profiled = [step.key for step in run.steps.filter(kind="wallet", status="done")]
    _flag_bundles(run, addresses)
    prior = cohort_prior(addresses, now)
    found = scores(DiscoveryWallet.objects.filter(address__in={*addresses, *profiled}), prior, now)
    with transaction.atomic():
        if not ledger.finish(claim, {}, prior.to_dict()):
            transaction.set_rollback(True)
            return False
        store_scores(found, run)
        rows = list(DiscoveryRunWallet.objects.filter(run=run))
        for row in rows:
            scored = found.get(row.wallet_address)
            row.initial_score = scored.score.value if scored is not None else None
        DiscoveryRunWallet.objects.bulk_update(rows, ["initial_score"], batch_size=500)
    return True


def _flag_bundles(run: DiscoveryRun, addresses: list[str]) -> None:
    """Wallets of one funder that bought a token of the run in one slot: known when their profiles are."""
    funders = dict(DiscoveryWallet.objects.filter(address__in=addresses).values_list("address", "funder"))
    firsts = (
        DiscoveryTrade.objects.filter(wallet_address__in=addresses, mint__in=run.tokens.values("mint"), side="buy")
        .values_list("mint", "wallet_address")
        .annotate(slot=Min("slot"))
    )
    entries = defaultdict(list)
    for mint, wallet, slot in firsts:
        entries[mint].append((wallet, slot, funders.get(wallet) or None))
    for mint in sorted(entries):
        for wallet, (flag, evidence) in bundles(mint, entries[mint]).items():
            row = DiscoveryWallet.objects.get(pk=wallet)
            DiscoveryWallet.objects.filter(pk=wallet).update(flags={**row.flags, flag: evidence})
            for found in run.wallets.filter(wallet_address=wallet, source_token=mint):
                DiscoveryRunWallet.objects.filter(pk=found.pk).update(flags=sorted({*found.flags, flag}))
