"""The timeline of a run: its stages with their durations, and the steps that failed or
took longest.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

import msgspec

from discovery.models import RunStep
from discovery.models.enums import StepKind, StepStatus
from discovery.reads.row_values import safe_text

MAX_STEPS: Final = 8
_STAGE_NAMES: Final = {
    StepKind.FIND: "Finding tokens",
    StepKind.TOKEN: "Analysing tokens",
    StepKind.WALLET: "Profiling wallets",
    StepKind.FINISH: "Scoring and closing",
}


class StageRow(msgspec.Struct, frozen=True):
    """One stage. `start_pct` and `width_pct` are its offset and duration in percent of
    the run's duration.
    """

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
    """One step. `seconds` is the duration of its last attempt."""

    kind: str
    key: str
    status: str
    attempt: int
    seconds: int | None
    error: str


class Timeline(msgspec.Struct, frozen=True):
    """The stages in order, the first failed steps with the number of further ones, and
    the slowest steps.
    """

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
    """The time from the first start to the last end of several steps; None if none has
    started or ended yet.
    """

    began: datetime | None
    ended: datetime | None

    @property
    def seconds(self) -> float | None:
        return _seconds_between(self.began, self.ended)


def timeline(run_id: uuid.UUID) -> Timeline:
    """Return the timeline of a run, empty if it has no steps. One query."""
    steps = _fetch_steps(run_id)
    failed = _with_status(steps, StepStatus.FAILED)
    slowest = _slowest(_with_status(steps, StepStatus.DONE))
    return Timeline(
        stages=_stages(steps),
        failed=_first_rows(failed),
        more_failed=max(0, len(failed) - MAX_STEPS),
        slowest=_first_rows(slowest),
    )


def _fetch_steps(run_id: uuid.UUID) -> list[_Step]:
    rows = (
        RunStep.objects.filter(run_id=run_id)
        .order_by("pk")
        .values_list(*_Step.__struct_fields__)
    )
    return [_Step(*row) for row in rows]


def _with_status(steps: Sequence[_Step], status: StepStatus) -> list[_Step]:
    return [step for step in steps if step.status == status]


def _slowest(steps: Sequence[_Step]) -> list[_Step]:
    """Return the steps whose duration is known, slowest first; equally slow ones by
    key.
    """
    timed = [step for step in steps if step.seconds is not None]
    timed.sort(key=attrgetter("key"))
    timed.sort(key=attrgetter("seconds"), reverse=True)
    return timed


def _stages(steps: Sequence[_Step]) -> list[StageRow]:
    """Return a row for each stage that has steps, in the order of the stages."""
    run_span = _span_of(steps)
    by_kind: dict[str, list[_Step]] = defaultdict(list)
    for step in steps:
        by_kind[step.kind].append(step)
    return [
        _stage_row(name, by_kind[kind], run_span)
        for kind, name in _STAGE_NAMES.items()
        if kind in by_kind
    ]


def _stage_row(name: str, steps: Sequence[_Step], run_span: _Span) -> StageRow:
    span = _span_of(steps)
    step_counts = Counter(step.status for step in steps)
    done_count = step_counts[StepStatus.DONE]
    failed_count = step_counts[StepStatus.FAILED]
    is_over = done_count + failed_count == len(steps)
    offset_seconds = _seconds_between(run_span.began, span.began)
    start_pct = _pct_of(offset_seconds, run_span.seconds)
    width_pct = _pct_of(span.seconds, run_span.seconds)
    return StageRow(
        name=name,
        total=len(steps),
        done=done_count,
        failed=failed_count,
        retried=sum(step.attempt > 1 for step in steps),
        began=span.began,
        ended=span.ended if is_over else None,
        seconds=_whole_seconds(span.seconds),
        start_pct=min(99, start_pct),
        width_pct=max(1, min(100, width_pct)),
    )


def _pct_of(seconds: float | None, run_seconds: float | None) -> int:
    """Return a part of the run's duration in percent. An unknown part is 0; an unknown
    or very short run counts as one second.
    """
    part = seconds or 0.0
    whole = max(1.0, run_seconds or 0.0)
    return round(100 * part / whole)


def _span_of(steps: Sequence[_Step]) -> _Span:
    starts = [step.started_at for step in steps if step.started_at is not None]
    ends = [step.completed_at for step in steps if step.completed_at is not None]
    return _Span(
        began=min(starts, default=None),
        ended=max(ends, default=None),
    )


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return (end - start).total_seconds()


def _whole_seconds(seconds: float | None) -> int | None:
    if seconds is None:
        return None
    return round(seconds)


def _first_rows(steps: Sequence[_Step]) -> list[StepRow]:
    return [_step_row(step) for step in steps[:MAX_STEPS]]


def _step_row(step: _Step) -> StepRow:
    return StepRow(
        kind=step.kind,
        key=step.key,
        status=step.status,
        attempt=step.attempt,
        seconds=_whole_seconds(step.seconds),
        error=safe_text(step.error),
    )
