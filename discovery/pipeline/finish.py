"""The last step of a run: flag clusters of wallets, then score the wallets of the run
against each other.
"""

from collections.abc import Mapping

import msgspec

from discovery.domain.profiles import Prior
from discovery.models import Run, RunWallet, Wallet
from discovery.models.enums import StepKind, StepStatus
from discovery.pipeline.flag_clusters import flag_clusters
from discovery.pipeline.save_trades import BATCH
from discovery.pipeline.scoring import (
    Scored,
    cohort_prior,
    save_wallet_scores,
    score_wallets,
)


class RunScores(msgspec.Struct, frozen=True):
    """The scores of a run's wallets by address, and the prior that they were shrunk
    towards.
    """

    prior: Prior
    by_address: Mapping[str, Scored]


def score_run(run: Run, now: int) -> RunScores:
    """Flag the wallets of the run and score them, with those it profiled. `now` in unix
    seconds.

    Flags are saved at once: they do not depend on how this step ends.
    """
    addresses = sorted(set(run.wallets.values_list("wallet_address", flat=True)))
    profiled = run.steps.filter(
        kind=StepKind.WALLET, status=StepStatus.DONE
    ).values_list("key", flat=True)
    flag_clusters(run, addresses)
    prior = cohort_prior(addresses, now)
    wallets = Wallet.objects.filter(address__in={*addresses, *profiled})
    return RunScores(prior, score_wallets(wallets, prior, now))


def save_scores(run: Run, scores: RunScores) -> None:
    """Save the prior of the run, the scores of the wallets, and the score each had when
    this run found it.

    Called inside a transaction.
    """
    Run.objects.filter(pk=run.pk).update(prior=scores.prior.to_dict())
    save_wallet_scores(scores.by_address, run)
    rows = list(RunWallet.objects.filter(run=run))
    for row in rows:
        scored = scores.by_address.get(row.wallet_address)
        row.initial_score = None if scored is None else scored.score.value
    RunWallet.objects.bulk_update(rows, ["initial_score"], batch_size=BATCH)
