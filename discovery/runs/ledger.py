"""The life of a run in the database: started once, alive while it beats, closed exactly once.

queued → running → completed | failed | cancelled. One run is active at a time (a partial unique index says so).
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from discovery.analysis.params import Params
from discovery.models import DiscoveryConfig, DiscoveryRun, DiscoveryRunWallet, DiscoveryWallet
from discovery.models.choices import ACTIVE_RUN_STATUSES, OPEN_STEP_STATUSES, RunStage, RunStatus, StepStatus, Trigger

log = logging.getLogger(__name__)

DEAD_AFTER: Final = timedelta(seconds=90)
MOST_ERRORS: Final = 200


class ActiveRun(Exception):
    """Another run is active. `run_id` is its id."""

    def __init__(self, run_id: uuid.UUID) -> None:
        super().__init__(f"run {run_id} is active; wait for its end or cancel it")
        self.run_id = run_id


def saved_params(config: DiscoveryConfig) -> Params:
    """The configuration row as parameters; a null of an earlier row means the default."""
    defaults = Params()
    values: dict[str, Any] = {}
    for name in Params.__struct_fields__:
        value = getattr(config, name)
        optional = name == "max_requests_per_run"
        values[name] = value if value is not None or optional else getattr(defaults, name)
    values["excluded_flags"] = tuple(values["excluded_flags"])
    return Params(**values)


def start(
    params: Params, *, trigger: Trigger, triggered_by: str, mints: Iterable[str] = (), config_version: int | None = None
) -> DiscoveryRun:
    """A queued run. Raises ActiveRun where one is active; runs whose worker died are closed first."""
    close_dead_runs()
    try:
        with transaction.atomic():
            return DiscoveryRun.objects.create(
                started_at=timezone.now(),
                status=RunStatus.QUEUED,
                stage=RunStage.QUEUED,
                trigger_type=trigger,
                triggered_by=triggered_by[:100],
                given_mints=list(mints),
                config_version=config_version,
                heartbeat_at=timezone.now(),
                min_price_change_pct=params.min_price_change_pct,
                min_volume_usd=params.min_volume_usd,
                min_liquidity_usd=params.min_liquidity_usd,
                max_token_age_hours=params.max_token_age_hours,
                early_window_minutes=params.early_window_minutes,
                min_profit_pct=params.min_profit_pct,
                max_tokens=params.max_tokens,
                max_requests_per_run=params.max_requests_per_run,
                profile_immediately=params.profile_immediately,
            )
    except IntegrityError:
        active = active_run()
        if active is None:
            raise
        raise ActiveRun(active.pk) from None


def active_run() -> DiscoveryRun | None:
    """The run that is queued or running, None where there is none."""
    return DiscoveryRun.objects.filter(status__in=ACTIVE_RUN_STATUSES, stage__isnull=False).first()


def close_dead_runs() -> int:
    """Close runs that nobody works on any more; how many. Those of the earlier system are closed as interrupted."""
    now = timezone.now()
    active = DiscoveryRun.objects.filter(status__in=ACTIVE_RUN_STATUSES)
    beats_no_more = Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=now - DEAD_AFTER)
    closed = 0
    with transaction.atomic():
        # Locked, and a row another closer holds is left to it: the cause is told once.
        dead = active.filter(Q(stage__isnull=True) | beats_no_more).select_for_update(skip_locked=True)
        for run in dead:
            words = "interrupted before the upgrade" if run.stage is None else "interrupted: its worker died"
            add_errors(run.pk, [error("run", "interrupted", words)])
            if run.stage is None:
                active.filter(pk=run.pk).update(status=RunStatus.FAILED, completed_at=now)
            else:
                _settle(run, RunStatus.FAILED, now)
            closed += 1
    if closed:
        log.warning("closed dead runs", extra={"count": closed})
    return closed


def begin(run: DiscoveryRun) -> None:
    """Work starts: the time of the request gives way to the time of the start."""
    run.started_at = timezone.now()
    run.status, run.stage = RunStatus.RUNNING, RunStage.FIND_TOKENS
    DiscoveryRun.objects.filter(pk=run.pk, status=RunStatus.QUEUED).update(
        started_at=run.started_at, status=run.status, stage=run.stage, heartbeat_at=run.started_at
    )


def hold_active(run_id: uuid.UUID) -> bool:
    """Lock the run's row for the rest of the transaction; whether the run is still active."""
    held = DiscoveryRun.objects.select_for_update().filter(pk=run_id, status__in=ACTIVE_RUN_STATUSES)
    return held.values_list("pk", flat=True).first() is not None


def beat(run_id: uuid.UUID, usage: dict[str, Any]) -> bool:
    """The run is alive and has used this much. True: end it, somebody asked for that or closed it as dead."""
    alive = DiscoveryRun.objects.filter(pk=run_id, status__in=ACTIVE_RUN_STATUSES)
    if not alive.update(heartbeat_at=timezone.now(), usage=usage):
        return True
    return alive.filter(cancel_requested_at__isnull=False).exists()


def set_stage(run_id: uuid.UUID, stage: RunStage, **values: Any) -> None:
    """Move the run on, with what is known by then (steps_total, funnel)."""
    DiscoveryRun.objects.filter(pk=run_id).update(stage=stage, heartbeat_at=timezone.now(), **values)


def error(step: str, code: str, message: str) -> dict[str, str]:
    """One entry of a run's errors."""
    return {"step": step, "code": code, "message": message[:500]}


# The earlier system wrote nulls, and some of its versions a plain string or object.
_ERROR_LIST: Final = """CASE jsonb_typeof(errors) WHEN 'array' THEN errors WHEN 'object' THEN jsonb_build_array(errors)
    WHEN 'string' THEN jsonb_build_array(errors) ELSE '[]'::jsonb END"""


def add_errors(run_id: uuid.UUID, errors: list[dict[str, str]]) -> None:
    """Append, in one statement: two writers lose nothing. Past MOST_ERRORS the rest is not kept."""
    if not errors:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE discovery_runs SET errors = ({_ERROR_LIST}) || %s::jsonb"  # noqa: S608  a constant
            f" WHERE id = %s AND jsonb_array_length({_ERROR_LIST}) < %s",
            [msgspec.json.encode(errors[:MOST_ERRORS]).decode(), run_id, MOST_ERRORS],
        )


def close(
    run: DiscoveryRun,
    status: RunStatus,
    *,
    usage: dict[str, Any],
    funnel: dict[str, int],
    errors: list[dict[str, str]] | None = None,
) -> None:
    """Close the run once: count what it found, note how long it took. Nothing changes on a run already closed."""
    with transaction.atomic():
        add_errors(run.pk, errors or [])
        locked = DiscoveryRun.objects.select_for_update().get(pk=run.pk)
        if locked.status in ACTIVE_RUN_STATUSES:
            locked.usage, locked.funnel = usage, {**locked.funnel, **funnel}
            _settle(locked, status, timezone.now())


def _settle(run: DiscoveryRun, status: RunStatus, now: datetime) -> None:
    """Close a locked active run with its counts, however it ended: what is stored is counted exactly once."""
    found = DiscoveryRunWallet.objects.filter(run=run)
    counts = found.aggregate(
        new=Count("wallet_address", distinct=True, filter=Q(is_new=True)),
        known=Count("wallet_address", distinct=True, filter=Q(is_new=False)),
    )
    # One active run at a time: nobody else counts wallets now.
    DiscoveryWallet.objects.filter(address__in=found.values("wallet_address")).update(
        discovery_count=F("discovery_count") + 1, last_discovered_at=now
    )
    run.steps.filter(status__in=OPEN_STEP_STATUSES).update(
        status=StepStatus.FAILED, completed_at=now, error=f"the run was {status}"
    )
    run.status, run.stage = status, RunStage.DONE
    run.completed_at = now
    run.new_wallets, run.updated_wallets = counts["new"], counts["known"]
    run.tokens_analyzed = run.tokens.filter(early_buyers__isnull=False).count()
    run.duration_seconds = Decimal((now - run.started_at).total_seconds()).quantize(Decimal("0.01"))
    run.save(
        update_fields=[
            "status", "stage", "completed_at", "new_wallets", "updated_wallets", "tokens_analyzed", "duration_seconds",
            "usage", "funnel",
        ]
    )  # fmt: skip
