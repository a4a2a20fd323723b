"""The saved configuration."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from discovery.domain.run_params import PARAM_TYPES, Params
from discovery.models import Config, Run
from discovery.models.enums import RunStatus
from discovery.reads.row_values import one_of

ConfigParams = msgspec.defstruct(
    "ConfigParams",
    list(PARAM_TYPES.items()),
    frozen=True,
    module=__name__,
    namespace={
        "__doc__": "The parameters that every run uses unless its request overrides them."
    },
)


class ConfigView(msgspec.Struct, frozen=True):
    """The configuration row, with the time and status of the last run."""

    enabled: Annotated[
        bool,
        Meta(
            description="The saved switch; `status` shows whether runs start on schedule."
        ),
    ]
    schedule_hours: int
    params: ConfigParams  # type: ignore[valid-type]  # built from the specs
    next_run_at: Annotated[
        datetime | None, Meta(description="Null while the schedule is off.")
    ]
    last_run_at: datetime | None
    last_result: Annotated[
        str | None, one_of(RunStatus, "Status of the run that began last.")
    ]
    version: Annotated[
        int, Meta(description="Increases by 1 with each change; equal to the ETag.")
    ]
    updated_at: datetime | None
    updated_by: str


def config_view() -> ConfigView:
    """Return the configuration; null parameters of older rows are returned as their
    defaults. Two queries.
    """
    config = Config.load()
    newest_first = Run.objects.begun().order_by("-started_at")
    last_run = newest_first.values_list("started_at", "status").first()
    last_run_at, last_result = last_run or (None, None)
    return ConfigView(
        enabled=bool(config.enabled),
        schedule_hours=config.hours,
        params=params_row(config.params),
        next_run_at=config.next_run_at if config.is_schedule_on else None,
        last_run_at=last_run_at,
        last_result=last_result,
        version=config.version,
        updated_at=config.updated_at,
        updated_by=config.updated_by or "",
    )


def params_row(params: Params) -> Any:
    """Return the parameters as a ConfigParams."""
    return ConfigParams(**msgspec.structs.asdict(params))


def stored_params() -> Params:
    """Return the saved parameters. One query."""
    return Config.load().params
