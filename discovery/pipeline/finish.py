"""The last step of a run: who is one hand is told, its wallets are scored against each other, the run is closed."""

from django.db import transaction

from discovery.jobs import run_lifecycle, step_queue
from discovery.models import Run, RunWallet, Wallet
from discovery.pipeline.flag_clusters import flag_clusters
from discovery.pipeline.scoring import cohort_prior, scores, store_scores


def finish(claim: step_queue.Claim, now: int) -> bool:
    """Score and close. `now` in unix seconds. False where step or run was not ours any more."""
    run = Run.objects.get(pk=claim.run_id)
    addresses = sorted(set(run.wallets.values_list("wallet_address", flat=True)))
    profiled = [step.key for step in run.steps.filter(kind="wallet", status="done")]
    flag_clusters(run, addresses)
    prior = cohort_prior(addresses, now)
    found = scores(Wallet.objects.filter(address__in={*addresses, *profiled}), prior, now)
    with transaction.atomic():
        if not run_lifecycle.finish(claim, {}, prior.to_dict()):
            transaction.set_rollback(True)
            return False
        store_scores(found, run)
        rows = list(RunWallet.objects.filter(run=run))
        for row in rows:
            scored = found.get(row.wallet_address)
            row.initial_score = scored.score.value if scored is not None else None
        RunWallet.objects.bulk_update(rows, ["initial_score"], batch_size=500)
    return True
