"""The life of a run in the database: started once, alive while it beats, closed exactly once.

queued → running → completed | failed | cancelled. One run is active at a time (a partial unique index says so).
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from discovery.analysis.params import Params
from discovery.models import DiscoveryConfig, DiscoveryRun, DiscoveryRunWallet, DiscoveryWallet
from discovery.models.choices import ACTIVE_RUN_STATUSES, RunStage, RunStatus, Trigger

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


def run_params(run: DiscoveryRun) -> Params:
    """What the run was asked for; a null of an earlier row means the default."""
    defaults = Params()
    values: dict[str, Any] = {}
    for name in Params.__struct_fields__:
        value = getattr(run, name, None)
        values[name] = value if value is not None or name == "max_requests_per_run" else getattr(defaults, name)
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
        for run_id, stage in list(dead.values_list("pk", "stage")):
            words = "interrupted before the upgrade" if stage is None else "interrupted: its worker died"
            add_errors(run_id, [error("run", "interrupted", words)])
            closed += active.filter(pk=run_id).update(status=RunStatus.FAILED, completed_at=now)
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


def beat(run_id: uuid.UUID, usage: dict[str, Any]) -> bool:
    """The run is alive and has used this much; whether somebody asked to cancel it."""
    DiscoveryRun.objects.filter(pk=run_id).update(heartbeat_at=timezone.now(), usage=usage)
    return DiscoveryRun.objects.filter(pk=run_id, cancel_requested_at__isnull=False).exists()


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


def close(run: DiscoveryRun, status: RunStatus, *, usage: dict[str, Any], funnel: dict[str, int]) -> None:
    """Close the run once: count what it found, note how long it took. Nothing changes on a run already closed."""
    now = timezone.now()
    with transaction.atomic():
        locked = DiscoveryRun.objects.select_for_update().get(pk=run.pk)
        if locked.status not in ACTIVE_RUN_STATUSES:
            return
        found = DiscoveryRunWallet.objects.filter(run=run)
        counts = found.aggregate(
            new=Count("wallet_address", distinct=True, filter=Q(is_new=True)),
            known=Count("wallet_address", distinct=True, filter=Q(is_new=False)),
        )
        addresses = found.values("wallet_address")
        known = DiscoveryWallet.objects.filter(address__in=addresses)
        for wallet_id, count in known.values_list("pk", "discovery_count").order_by("pk"):
            # The row lock above makes this once per run; the order keeps two runs from waiting on each other.
            DiscoveryWallet.objects.filter(pk=wallet_id).update(discovery_count=count + 1, last_discovered_at=now)
        locked.status, locked.stage = status, RunStage.DONE
        locked.completed_at = locked.heartbeat_at = now
        locked.new_wallets, locked.updated_wallets = counts["new"], counts["known"]
        locked.tokens_analyzed = locked.tokens.filter(early_buyers__isnull=False).count()
        seconds = Decimal((now - locked.started_at).total_seconds())
        locked.duration_seconds = seconds.quantize(Decimal("0.01"))
        locked.usage = usage
        locked.funnel = {**locked.funnel, **funnel}
        locked.save()
