"""The end of a run: what is stored is counted exactly once, however the run ended."""

import logging
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import Count, F, Min, Q

from discovery.domain.display import counted
from discovery.domain.run_errors import ErrorCode, run_error
from discovery.domain.usage import sum_usage
from discovery.jobs.run_errors import append_errors, collect_step_errors
from discovery.jobs.step_queue import close_open_steps
from discovery.models import Run, RunWallet, Wallet
from discovery.models.database_time import database_now
from discovery.models.enums import RunStage, RunStatus, StepKind, StepStatus
from walltrack import clock

log = logging.getLogger(__name__)

_LOSS_NAMES: Final = {
    StepKind.TOKEN: "tokens_failed",
    StepKind.WALLET: "wallets_failed",
}


class _ClosedStep(msgspec.Struct, frozen=True):
    kind: str
    status: str
    error_code: str
    usage: dict[str, Any]
    payload: dict[str, Any]

    @property
    def is_profile_of_find(self) -> bool:
        """True for the profile of a wallet that is no control wallet."""
        is_profile = self.kind == StepKind.WALLET and self.status == StepStatus.DONE
        return is_profile and not self.payload


def finalize(run: Run, status: RunStatus) -> None:
    """Close an unfinished run that the caller has locked, with its counts, funnel,
    usage and errors.
    """
    _count_wallets(run)
    close_open_steps(run.pk, f"the run was {status}")
    append_errors(run.pk, collect_step_errors(run))
    columns = ("kind", "status", "error_code", "usage", "payload")
    steps = [
        _ClosedStep(*row) for row in run.steps.order_by("pk").values_list(*columns)
    ]
    run.status, run.stage = status, RunStage.DONE
    run.completed_at = clock.now()
    run.tokens_analyzed = run.tokens.filter(early_buyers__isnull=False).count()
    run.profiled_wallets = sum(step.is_profile_of_find for step in steps)
    run.duration_seconds = _duration_seconds(run)
    run.steps_total, run.steps_done = len(steps), len(steps)
    run.usage = sum_usage(step.usage for step in steps)
    run.funnel = _whole_funnel(run, steps)
    run.save(
        update_fields=[
            "status",
            "stage",
            "completed_at",
            "new_wallets",
            "updated_wallets",
            "tokens_analyzed",
            "profiled_wallets",
            "duration_seconds",
            "steps_total",
            "steps_done",
            "usage",
            "funnel",
        ]
    )
    log.info(
        "run closed",
        extra={
            "run_id": str(run.pk),
            "status": str(status),
            "seconds": str(run.duration_seconds),
        },
    )


def _duration_seconds(run: Run) -> Decimal:
    """Return the real seconds from the first claim of a step, or from the request if no
    step was claimed, until now.

    Measured by the database's clock: the run's own times are those of the market, which
    may be simulated, and of two machines.
    """
    first_claim = run.steps.aggregate(at=Min("started_at"))["at"]
    now = database_now()
    elapsed = now - (first_claim or run.created_at or now)
    seconds = max(0.0, elapsed.total_seconds())
    return Decimal(seconds).quantize(Decimal("0.01"))


def _count_wallets(run: Run) -> None:
    rows = RunWallet.objects.filter(run=run)
    counts = rows.aggregate(
        new=Count("wallet_address", distinct=True, filter=Q(is_new=True)),
        known=Count("wallet_address", distinct=True, filter=Q(is_new=False)),
    )
    run.new_wallets, run.updated_wallets = counts["new"], counts["known"]
    # Only one run is active at a time: nobody else counts wallets now.
    Wallet.objects.filter(address__in=rows.values("wallet_address")).update(
        discovery_count=F("discovery_count") + 1,
        last_discovered_at=clock.now(),
    )


def _whole_funnel(run: Run, steps: Sequence[_ClosedStep]) -> dict[str, int]:
    """Return the counts of the search and of every token, and of the steps that failed."""
    funnel: Counter[str] = Counter(run.funnel or {})
    for token_funnel in run.tokens.values_list("funnel", flat=True):
        funnel.update(token_funnel)
    for step in steps:
        name = _loss_name(step)
        if name:
            funnel[name] += 1
    return dict(funnel)


def _loss_name(step: _ClosedStep) -> str:
    """Return the funnel's name for a failed step, or "" if the step did not fail by
    itself.
    """
    if step.status != StepStatus.FAILED or not step.error_code:
        return ""
    if step.error_code == ErrorCode.BUDGET:
        return str(ErrorCode.BUDGET)
    return _LOSS_NAMES.get(StepKind(step.kind), "")


def tell_if_nothing_is_known(run: Run) -> None:
    """Add an error if the run has tokens and knows the early buyers of none: that is no
    quiet market.
    """
    counts = run.tokens.aggregate(
        tokens=Count("pk"), known=Count("pk", filter=Q(early_buyers__isnull=False))
    )
    if not counts["tokens"] or counts["known"]:
        return
    tokens = counted(counts["tokens"], "token")
    message = f"the early buyers of none of {tokens} are known: the errors of the tokens say why, and what to do"
    append_errors(run.pk, [run_error("run", ErrorCode.INCOMPLETE, message)])
