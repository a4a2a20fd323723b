"""How a run went: its stages with their durations, and the steps that failed or took longest."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from discovery.models import RunStep
from discovery.models.enums import StepKind, StepStatus
from discovery.reads import paging

MAX_STEPS: Final = 8
_STAGE_NAMES: Final = {
    StepKind.FIND: "Finding tokens",
    StepKind.TOKEN: "Analysing tokens",
    StepKind.WALLET: "Profiling wallets",
    StepKind.FINISH: "Scoring and closing",
}


class StageRow(msgspec.Struct, frozen=True):
    """One stage. Offset and width are in percent of the run's time, so that stages can be drawn one below the other."""

    name: str
    total: int
    done: int
    failed: int
    retried: int
    began: datetime | None
    ended: datetime | None
    seconds: int | None
    start_pct: int
    width_pct: int


class StepRow(msgspec.Struct, frozen=True):
    """One step. `seconds` of its last attempt."""

    kind: str
    key: str
    status: str
    attempt: int
    seconds: int | None
    error: str


class Timeline(msgspec.Struct, frozen=True):
    """The stages in order, the first failed steps with the number of further ones, and the slowest steps."""

    stages: list[StageRow]
    failed: list[StepRow]
    more_failed: int
    slowest: list[StepRow]


class _Step(msgspec.Struct, frozen=True):
    kind: str
    key: str
    status: str
    attempt: int
    started_at: datetime | None
    completed_at: datetime | None
    error: str

    @property
    def seconds(self) -> float | None:
        return _seconds_between(self.started_at, self.completed_at)


class _Span(msgspec.Struct, frozen=True):
    """Time from the first start to the last end of some steps; None if nothing has started or ended yet."""

    began: datetime | None
    ended: datetime | None

    @property
    def seconds(self) -> float | None:
        return _seconds_between(self.began, self.ended)


def timeline(run_id: uuid.UUID) -> Timeline:
    """Return the timeline of a run; empty for runs without steps. One query, whatever the number of steps."""
    columns = _Step.__struct_fields__
    steps = [_Step(*row) for row in RunStep.objects.filter(run_id=run_id).order_by("pk").values_list(*columns)]
    failed = [step for step in steps if step.status == StepStatus.FAILED]
    timed = [step for step in steps if step.status == StepStatus.DONE and step.seconds is not None]
    timed.sort(key=lambda step: (-(step.seconds or 0.0), step.key))
    return Timeline(
        stages=_stages(steps),
        failed=[_step_row(step) for step in failed[:MAX_STEPS]],
        more_failed=max(0, len(failed) - MAX_STEPS),
        slowest=[_step_row(step) for step in timed[:MAX_STEPS]],
    )


def _stages(steps: list[_Step]) -> list[StageRow]:
    whole = _span_of(steps)
    stages = []
    for kind, name in _STAGE_NAMES.items():
        of_kind = [step for step in steps if step.kind == kind]
        if of_kind:
            stages.append(_stage_row(name, of_kind, whole))
    return stages


def _stage_row(name: str, steps: list[_Step], whole: _Span) -> StageRow:
    span = _span_of(steps)
    done_count = sum(step.status == StepStatus.DONE for step in steps)
    failed_count = sum(step.status == StepStatus.FAILED for step in steps)
    is_over = done_count + failed_count == len(steps)
    whole_seconds = max(1.0, whole.seconds or 1.0)
    offset_seconds = _seconds_between(whole.began, span.began) or 0.0
    seconds = span.seconds
    return StageRow(
        name=name,
        total=len(steps),
        done=done_count,
        failed=failed_count,
        retried=sum(step.attempt > 1 for step in steps),
        began=span.began,
        ended=span.ended if is_over else None,
        seconds=None if seconds is None else round(seconds),
        start_pct=min(99, round(100 * offset_seconds / whole_seconds)),
        width_pct=max(1, min(100, round(100 * (seconds or 0.0) / whole_seconds))),
    )


def _span_of(steps: Iterable[_Step]) -> _Span:
    steps = list(steps)
    starts = [step.started_at for step in steps if step.started_at is not None]
    ends = [step.completed_at for step in steps if step.completed_at is not None]
    return _Span(min(starts, default=None), max(ends, default=None))


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return (end - start).total_seconds()


def _step_row(step: _Step) -> StepRow:
    seconds = step.seconds
    return StepRow(
        kind=step.kind,
        key=step.key,
        status=step.status,
        attempt=step.attempt,
        seconds=None if seconds is None else round(seconds),
        error=paging.safe_text(step.error),
    )
