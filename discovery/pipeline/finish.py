"""The last step of a run: flag clusters of wallets, then judge the wallets of the run
together.
"""

import msgspec

from discovery.domain.judgements import Population
from discovery.models import Run, RunWallet
from discovery.models.enums import StepKind, StepStatus
from discovery.pipeline.flag_clusters import flag_clusters
from discovery.pipeline.judged_wallets import JudgedWallet
from discovery.pipeline.save_trades import BATCH
from discovery.pipeline.scoring import (
    judge_cohort,
    save_judgements,
    stored_prior,
)


class RunScores(msgspec.Struct, frozen=True):
    """The judgements of a run's wallets by address, and the population that they were
    judged against.
    """

    population: Population
    by_address: dict[str, JudgedWallet]


def score_run(run: Run) -> RunScores:
    """Flag the wallets of the run and judge them, with those it profiled.

    Flags are saved at once: they do not depend on how this step ends.
    """
    addresses = sorted(set(run.wallets.values_list("wallet_address", flat=True)))
    profiled = run.steps.filter(
        kind=StepKind.WALLET, status=StepStatus.DONE
    ).values_list("key", flat=True)
    flag_clusters(run, addresses)
    by_address, population = judge_cohort(addresses, profiled)
    return RunScores(population, by_address)


def save_scores(run: Run, scores: RunScores) -> None:
    """Save the prior of the run, the judgements of the wallets, and the score each had
    when this run found it.

    Called inside a transaction.
    """
    prior = stored_prior(scores.population)
    Run.objects.filter(pk=run.pk).update(prior=prior)
    save_judgements(scores.by_address, run)
    rows = list(RunWallet.objects.filter(run=run))
    for row in rows:
        judged = scores.by_address.get(row.wallet_address)
        row.initial_score = None if judged is None else judged.score
    RunWallet.objects.bulk_update(rows, ["initial_score"], batch_size=BATCH)
