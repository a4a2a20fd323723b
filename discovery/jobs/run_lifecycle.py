"""The life of a run in the database: started once, moved on by whoever closes its steps, closed exactly once.

queued → running → completed | failed | cancelled. One run is active at a time (a partial unique index says so). Whoever
changes a run and its steps together locks the run first.
"""

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from discovery.clients.usage import total
from discovery.domain.run_params import Params
from discovery.jobs import broker, step_queue
from discovery.jobs.run_errors import append_errors, collect_step_errors, run_error
from discovery.models import Config, Run, RunWallet, Wallet
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStage, RunStatus, StepKind, StepStatus, Trigger

log = logging.getLogger(__name__)

CANCEL_TIMEOUT: Final = timedelta(seconds=10)
"""How long a cancel waits for steps at work to notice; dead workers never would."""


class RunAlreadyActive(Exception):
    """Another run is active. `run_id` is its id."""

    def __init__(self, run_id: uuid.UUID) -> None:
        super().__init__(f"run {run_id} is active; wait for its end or cancel it")
        self.run_id = run_id


class IdempotencyKeyReused(Exception):
    """The idempotency key was used for another request."""


class SlotTaken(Exception):
    """The slot has a run already."""


def saved_params(config: Config) -> Params:
    """The configuration row as parameters; a null of an earlier row means the default."""
    return _params_of(config)


def run_params(run: Run) -> Params:
    """What a run was asked for; a null of an earlier row means the default."""
    return _params_of(run)


def _params_of(row: Config | Run) -> Params:
    defaults = Params()
    values: dict[str, Any] = {}
    for name in Params.__struct_fields__:
        value = getattr(row, name)
        optional = name == "max_requests_per_run"
        values[name] = value if value is not None or optional else getattr(defaults, name)
    values["excluded_flags"] = tuple(values["excluded_flags"])
    return Params(**values)


def start(
    params: Params,
    *,
    trigger: Trigger,
    triggered_by: str,
    mints: Iterable[str] = (),
    config_version: int | None = None,
    scheduled_for: datetime | None = None,
    idempotency_key: str | None = None,
    idempotency_hash: str = "",
    retry_of: Run | None = None,
    in_foreground: bool = False,
) -> Run:
    """A queued run with its first step, told to workers on commit unless this process carries it out itself.

    The same idempotency key with the same hash answers the run it made. Raises ActiveRun where one is active,
    IdempotencyKeyReused for a key with another hash, SlotTaken for a slot that has run.
    """
    close_dead_runs()
    now = timezone.now()
    values = {name: getattr(params, name) for name in Params.__struct_fields__}
    values["excluded_flags"] = list(params.excluded_flags)
    for _ in range(3):
        if (known := _known_request(idempotency_key, idempotency_hash)) is not None:
            return known
        try:
            with transaction.atomic():
                run = Run.objects.create(
                    started_at=now,
                    status=RunStatus.QUEUED,
                    stage=RunStage.QUEUED,
                    trigger_type=trigger,
                    triggered_by=triggered_by[:100],
                    given_mints=list(mints),
                    config_version=config_version,
                    heartbeat_at=now,
                    scheduled_for=scheduled_for,
                    idempotency_key=idempotency_key,
                    idempotency_hash=idempotency_hash,
                    retry_of=retry_of,
                    attempt=1 if retry_of is None else retry_of.attempt + 1,
                    in_foreground=in_foreground,
                    steps_total=1,
                    **values,
                )
                advance(run.pk)
        except IntegrityError:
            if scheduled_for is not None and Run.objects.filter(scheduled_for=scheduled_for).exists():
                raise SlotTaken from None
            active = active_run()
            if active is not None and (idempotency_key is None or active.idempotency_key != idempotency_key):
                raise RunAlreadyActive(active.pk) from None
            # Else the run in the way has just ended, or this very request has just made it: look again.
        else:
            log.debug("run queued", extra={"run_id": str(run.pk), "trigger": trigger, "by": run.triggered_by})
            return run
    raise RuntimeError("runs start and end too fast to find a place between them")


def _known_request(key: str | None, request_hash: str) -> Run | None:
    known = Run.objects.filter(idempotency_key=key).first() if key else None
    if known is not None and known.idempotency_hash != request_hash:
        raise IdempotencyKeyReused(f"the key was used for another request, run {known.pk}")
    return known


def active_run() -> Run | None:
    """The run that is queued or running, None where there is none."""
    return Run.objects.filter(status__in=ACTIVE_RUN_STATUSES, stage__isnull=False).first()


def close_dead_runs() -> int:
    """Close runs that nobody works on any more; how many.

    That is a run in the foreground whose process is gone, and one that the earlier system left open. A run of workers
    is never dead: its steps wait for the next worker.
    """
    now = timezone.now()
    silent = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=now - step_queue.dead_after())
    closed = 0
    with transaction.atomic():
        # Locked, and a row another closer holds is left to it: the cause is told once.
        active = Run.objects.select_for_update(skip_locked=True).filter(status__in=ACTIVE_RUN_STATUSES)
        for run in active.filter(Q(stage__isnull=True) | Q(in_foreground=True) & silent):
            words = "interrupted before the upgrade" if run.stage is None else "interrupted: its process died"
            append_errors(run.pk, [run_error("run", "interrupted", words)])
            if run.stage is None:
                Run.objects.filter(pk=run.pk).update(status=RunStatus.FAILED, completed_at=now)
            else:
                _finalize(run, RunStatus.FAILED)
            closed += 1
    if closed:
        log.warning("closed dead runs", extra={"count": closed})
    return closed


def advance(run_id: uuid.UUID) -> None:
    """Move the run on as far as its closed steps allow, and tell workers what they may take next.

    Called after every step that was closed, and by the sweeper: calling it twice changes nothing.
    """
    with transaction.atomic():
        run = (
            Run.objects.select_for_update()
            .filter(pk=run_id, status__in=ACTIVE_RUN_STATUSES, stage__isnull=False)
            .first()
        )
        if run is None:
            return
        rows = list(run.steps.values_list("kind", "status", "error_code"))
        running = sum(status == StepStatus.RUNNING for _, status, _ in rows)
        if run.cancel_requested_at is not None:
            if not running or timezone.now() - run.cancel_requested_at > CANCEL_TIMEOUT:
                append_errors(run.pk, [run_error("run", "cancelled", "cancelled on request")])
                _finalize(run, RunStatus.CANCELLED)
            return
        if any(code == "budget" for _, _, code in rows):
            _exhaust_budget(run)
        while not run.steps.filter(status__in=(StepStatus.PENDING, StepStatus.RUNNING)).exists():
            if not _next_stage(run):
                _finalize(run, RunStatus.FAILED)
                return
        counts = run.steps.aggregate(
            total=Count("pk"), done=Count("pk", filter=Q(status__in=(StepStatus.DONE, StepStatus.FAILED)))
        )
        run.steps_total, run.steps_done = counts["total"], counts["done"]
        run.save(update_fields=["stage", "steps_total", "steps_done"])
        if not run.in_foreground:
            _tell_workers(run)


def _next_stage(run: Run) -> bool:
    """No step is open: begin the next stage with its steps. False: the run has failed; its last step says why."""
    closed = set(run.steps.values_list("kind", "status", "error_code"))
    match run.stage:
        case RunStage.QUEUED | RunStage.FIND_TOKENS:
            if not closed:
                step_queue.add(run.pk, StepKind.FIND, [""])
            elif (StepKind.FIND, StepStatus.DONE, "") in closed:
                run.stage = RunStage.ANALYSE
            elif (StepKind.FIND, StepStatus.FAILED, "budget") in closed:
                run.stage = RunStage.PROFILE  # a clean end, with nothing found
            else:
                return False
        case RunStage.ANALYSE:
            run.stage = RunStage.PROFILE
            step_queue.add(run.pk, StepKind.WALLET, _to_profile(run))
        case RunStage.PROFILE:
            run.stage = RunStage.FINISH
            step_queue.add(run.pk, StepKind.FINISH, [""])
        case _:
            return False
    return True


MAX_UNPROFILED_LEFTOVERS: Final = 200


def _to_profile(run: Run) -> Sequence[str]:
    """The wallets a run profiles: those it found, and some that earlier runs left unprofiled."""
    if run.profile_immediately is False:
        return []
    wanted = Wallet.objects.exclude(status="blacklisted")
    found = wanted.filter(address__in=run.wallets.values("wallet_address")).order_by("address")
    addresses = list(found.values_list("address", flat=True))
    if not run.given_mints:
        left = wanted.filter(profiled_at__isnull=True).exclude(address__in=addresses).order_by("-last_discovered_at")
        addresses += left.values_list("address", flat=True)[:MAX_UNPROFILED_LEFTOVERS]
    return addresses


def _exhaust_budget(run: Run) -> None:
    """The run may make no more calls: what waits for some is closed, what needs none goes on."""
    run.steps.filter(status=StepStatus.PENDING, kind__in=(StepKind.TOKEN, StepKind.WALLET)).update(
        status=StepStatus.FAILED,
        completed_at=timezone.now(),
        error_code="budget",
        error=f"the run's {run.max_requests_per_run or 0:,} calls are used up",
    )


def _tell_workers(run: Run) -> None:
    now = timezone.now()
    told = Q(status=StepStatus.RUNNING) | Q(status=StepStatus.PENDING, enqueued_at__isnull=False)
    most = 1 if run.max_requests_per_run is not None else broker.capacity()
    free = most - run.steps.filter(told).count()
    if free <= 0:
        return
    due = Q(available_at__isnull=True) | Q(available_at__lte=now)
    ready = run.steps.filter(due, status=StepStatus.PENDING, enqueued_at__isnull=True).order_by("pk")
    chosen = list(ready.values_list("pk", "kind")[:free])
    if chosen:
        run.steps.filter(pk__in=[pk for pk, _ in chosen]).update(enqueued_at=now)
        transaction.on_commit(partial(broker.send_steps, chosen))


def begin(run_id: uuid.UUID) -> None:
    """Work starts: the time of the request gives way to the time of the start. Once; later calls change nothing."""
    now = timezone.now()
    Run.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(
        started_at=now, status=RunStatus.RUNNING, stage=RunStage.FIND_TOKENS, heartbeat_at=now
    )


def lock_active_run(run_id: uuid.UUID) -> bool:
    """Keep the run from being closed for the rest of the transaction; whether it is still active.

    A shared lock: steps of one run store side by side.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status FROM discovery_runs WHERE id = %s AND status IN ('queued', 'running') FOR SHARE", [run_id]
        )
        return cursor.fetchone() is not None


def request_cancel(run_id: uuid.UUID) -> bool:
    """Ask the run to end; False where it is not active. Ends it at once where no step is at work."""
    asked = Run.objects.filter(pk=run_id, status__in=ACTIVE_RUN_STATUSES, stage__isnull=False)
    if not asked.filter(cancel_requested_at__isnull=True).update(cancel_requested_at=timezone.now()):
        return asked.exists()
    advance(run_id)
    return True


def close(run_id: uuid.UUID, status: RunStatus, errors: list[dict[str, str]] | None = None) -> bool:
    """Close the run with what is stored, once; False where it is closed already."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, status__in=ACTIVE_RUN_STATUSES).first()
        if run is None:
            return False
        append_errors(run_id, errors or [])
        _finalize(run, status)
    return True


def finish(claim: step_queue.Claim, usage: dict[str, Any], prior: dict[str, Any]) -> bool:
    """Close the run with its last step, in the caller's transaction. False where step or run was not ours any more."""
    run = Run.objects.select_for_update().filter(pk=claim.run_id, status__in=ACTIVE_RUN_STATUSES).first()
    if run is None or not step_queue.complete(claim, {}, usage):
        return False
    Run.objects.filter(pk=run.pk).update(prior=prior)
    tokens = list(run.steps.filter(kind=StepKind.TOKEN).values_list("status", "error_code"))
    nothing_done = bool(tokens) and all(status == StepStatus.FAILED for status, _ in tokens)
    spent = any(code == "budget" for _, code in tokens)
    _finalize(run, RunStatus.FAILED if nothing_done and not spent else RunStatus.COMPLETED)
    return True


def _finalize(run: Run, status: RunStatus) -> None:
    """Close a locked active run with its counts, however it ended: what is stored is counted exactly once."""
    now = timezone.now()
    found = RunWallet.objects.filter(run=run)
    counts = found.aggregate(
        new=Count("wallet_address", distinct=True, filter=Q(is_new=True)),
        known=Count("wallet_address", distinct=True, filter=Q(is_new=False)),
    )
    # One active run at a time: nobody else counts wallets now.
    Wallet.objects.filter(address__in=found.values("wallet_address")).update(
        discovery_count=F("discovery_count") + 1, last_discovered_at=now
    )
    step_queue.close_open(run.pk, f"the run was {status}")
    done = list(run.steps.order_by("pk").values_list("kind", "status", "error_code", "usage"))
    append_errors(run.pk, collect_step_errors(run))
    run.status, run.stage = status, RunStage.DONE
    run.completed_at = now
    run.new_wallets, run.updated_wallets = counts["new"], counts["known"]
    run.tokens_analyzed = run.tokens.filter(early_buyers__isnull=False).count()
    run.profiled_wallets = sum(kind == StepKind.WALLET and state == StepStatus.DONE for kind, state, _, _ in done)
    run.duration_seconds = Decimal((now - run.started_at).total_seconds()).quantize(Decimal("0.01"))
    run.steps_total, run.steps_done = len(done), len(done)
    run.usage = total(usage for _, _, _, usage in done)
    run.funnel = _funnel(run, [(kind, code) for kind, state, code, _ in done if state == StepStatus.FAILED])
    run.save(
        update_fields=[
            "status", "stage", "completed_at", "new_wallets", "updated_wallets", "tokens_analyzed", "profiled_wallets",
            "duration_seconds", "steps_total", "steps_done", "usage", "funnel",
        ]
    )  # fmt: skip
    log.info("run closed", extra={"run_id": str(run.pk), "status": str(status), "seconds": str(run.duration_seconds)})


def _funnel(run: Run, failed: list[tuple[str, str]]) -> dict[str, int]:
    """Where candidates fell, over all steps."""
    funnel = dict(run.funnel or {})
    for of_token in run.tokens.values_list("funnel", flat=True):
        for name, count in of_token.items():
            funnel[name] = funnel.get(name, 0) + count
    lost = {
        "budget": sum(code == "budget" for _, code in failed),
        "tokens_failed": sum(kind == StepKind.TOKEN and code not in {"budget", ""} for kind, code in failed),
        "wallets_failed": sum(kind == StepKind.WALLET and code not in {"budget", ""} for kind, code in failed),
    }
    return {**funnel, **{name: count for name, count in lost.items() if count}}
