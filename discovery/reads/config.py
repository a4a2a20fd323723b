"""The configuration as it is saved."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from django.conf import settings
from msgspec import Meta

from discovery.jobs import run_lifecycle
from discovery.models import Config, Run
from discovery.models.enums import RunStatus
from discovery.reads.paging import one_of


class ConfigParams(msgspec.Struct, frozen=True):
    """What every run looks for unless it is told otherwise."""

    min_price_change_pct: Decimal
    min_volume_usd: Decimal
    min_liquidity_usd: Decimal
    max_token_age_hours: int
    early_window_minutes: int
    min_profit_pct: Decimal
    max_tokens: int
    max_requests_per_run: int | None
    profile_immediately: bool
    excluded_flags: tuple[str, ...]


class ConfigView(msgspec.Struct, frozen=True):
    """The configuration row and what came of it last."""

    enabled: Annotated[bool, Meta(description="The switch as saved; `status` says whether runs start by themselves.")]
    schedule_hours: int
    params: ConfigParams
    next_run_at: Annotated[datetime | None, Meta(description="Null where no run starts by itself.")]
    last_run_at: datetime | None
    last_result: Annotated[str | None, one_of(RunStatus, "Status of the run that began last.")]
    version: Annotated[int, Meta(description="Counts changes; the same as the ETag.")]
    updated_at: datetime | None
    updated_by: str


def config_view() -> ConfigView:
    """The configuration; a null of an earlier row reads as the default. Two queries."""
    config = Config.load()
    begun = Run.objects.exclude(status__in=(RunStatus.QUEUED, RunStatus.SKIPPED)).order_by("-started_at")
    last = begun.values_list("started_at", "status").first() or (None, None)
    return ConfigView(
        enabled=bool(config.enabled),
        schedule_hours=config.hours,
        params=ConfigParams(**msgspec.structs.asdict(run_lifecycle.saved_params(config))),
        next_run_at=config.next_run_at if config.enabled and settings.DISCOVERY_SCHEDULER_ENABLED else None,
        last_run_at=last[0],
        last_result=last[1],
        version=config.version,
        updated_at=config.updated_at,
        updated_by=config.updated_by or "",
    )
