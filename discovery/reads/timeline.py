"""How a run went: its stages with what they took, and the steps that went wrong or took longest."""

import uuid
from datetime import datetime
from typing import Final

import msgspec

from discovery.models import RunStep
from discovery.models.enums import StepKind, StepStatus
from discovery.reads import paging

MAX_STEPS: Final = 8
_WORDS: Final = {
    StepKind.FIND: "Finding tokens",
    StepKind.TOKEN: "Analysing tokens",
    StepKind.WALLET: "Profiling wallets",
    StepKind.FINISH: "Scoring and closing",
}


class StageRow(msgspec.Struct, frozen=True):
    """One stage. Offsets in percent of the run's time, so that stages can be drawn one below the other."""

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
    """Stages in order, the first failed steps with how many more there are, and the slowest ones."""

    stages: list[StageRow]
    failed: list[StepRow]
    more_failed: int
    slowest: list[StepRow]


def timeline(run_id: uuid.UUID) -> Timeline:
    """One query, whatever the number of steps; empty for runs without steps."""
    columns = ("kind", "key", "status", "attempt", "started_at", "completed_at", "error")
    rows = [_Step(*row) for row in RunStep.objects.filter(run_id=run_id).order_by("pk").values_list(*columns)]
    failed = [row for row in rows if row.status == StepStatus.FAILED]
    timed = [row for row in rows if row.status == StepStatus.DONE and row.seconds is not None]
    timed.sort(key=lambda row: (-(row.seconds or 0.0), row.key))
    return Timeline(
        stages=_stages(rows),
        failed=[_step(row) for row in failed[:MAX_STEPS]],
        more_failed=max(0, len(failed) - MAX_STEPS),
        slowest=[_step(row) for row in timed[:MAX_STEPS]],
    )


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
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()


def _stages(rows: list[_Step]) -> list[StageRow]:
    begun = [row.started_at for row in rows if row.started_at is not None]
    ended = [row.completed_at for row in rows if row.completed_at is not None]
    first = min(begun, default=None)
    span = max(1.0, (max(ended) - first).total_seconds()) if first is not None and ended else 1.0
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in _WORDS}
    return [_stage(words, by_kind[kind], first, span) for kind, words in _WORDS.items() if by_kind[kind]]


def _stage(words: str, rows: list[_Step], first: datetime | None, span: float) -> StageRow:
    began = min((row.started_at for row in rows if row.started_at is not None), default=None)
    ended = max((row.completed_at for row in rows if row.completed_at is not None), default=None)
    done = sum(row.status == StepStatus.DONE for row in rows)
    failed = sum(row.status == StepStatus.FAILED for row in rows)
    seconds = (ended - began).total_seconds() if began is not None and ended is not None else None
    start = (began - first).total_seconds() if began is not None and first is not None else 0.0
    return StageRow(
        name=words,
        total=len(rows),
        done=done,
        failed=failed,
        retried=sum(row.attempt > 1 for row in rows),
        began=began,
        ended=ended if done + failed == len(rows) else None,
        seconds=None if seconds is None else round(seconds),
        start_pct=min(99, round(100 * start / span)),
        width_pct=max(1, min(100, round(100 * (seconds or 0.0) / span))),
    )


def _step(row: _Step) -> StepRow:
    seconds = None if row.seconds is None else round(row.seconds)
    return StepRow(row.kind, row.key, row.status, row.attempt, seconds, paging.words(row.error))
