"""What the facts mean: when a part counts as gone, late or in trouble. Pure: `now` and the facts are arguments."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from discovery.reads.health import (
    BEAT_DEAD_SECONDS,
    CANARY_DEAD_SECONDS,
    WORKER_DEAD_SECONDS,
    WORKER_PREFIX,
    ActiveRunState,
    HeartbeatRow,
    LastRun,
    ProviderSeen,
)
from discovery.reads.scheduler import SchedulerView
from health.findings import Finding, Status, moment, span

NEVER: Final = "has not been seen yet"


def judge_heartbeats(signs: Mapping[str, HeartbeatRow], now: datetime) -> dict[str, Finding]:
    """Workers, and what must come regularly: the beat's word, a message through the queue, a tick."""
    workers = [sign for name, sign in signs.items() if name.startswith(WORKER_PREFIX)]
    alive = [sign for sign in workers if now - sign.at < timedelta(seconds=WORKER_DEAD_SECONDS)]
    excuse = _excuse(alive, now)
    return {
        "workers": _workers(workers, alive, signs.get("canary"), now),
        "canary": _regular(
            signs.get("canary"),
            now,
            CANARY_DEAD_SECONDS,
            "the last message through the queue",
            "workers do not consume: look at the workers check and their logs, restart walltrack-worker",
            excuse=excuse,
        ),
        "beat": _regular(signs.get("beat"), now, BEAT_DEAD_SECONDS, "beat", "start walltrack-beat, look at its log"),
        "tick": _regular(
            signs.get("tick"),
            now,
            CANARY_DEAD_SECONDS,
            "the last tick",
            "no run starts by itself: look at the beat and canary checks",
            warn_seconds=BEAT_DEAD_SECONDS,
            excuse=excuse,
        ),
    }


def _excuse(alive: Sequence[HeartbeatRow], now: datetime) -> str:
    """Why living workers may not have taken a message yet: late is not lost. Empty where there is no reason."""
    if alive and all(sign.detail.get("active", 0) >= sign.detail.get("concurrency", math.inf) for sign in alive):
        return "every worker is busy"
    just_now = now - timedelta(seconds=CANARY_DEAD_SECONDS)
    if alive and all(_started(sign) > just_now for sign in alive):
        return "the workers have just started"
    return ""


def _started(sign: HeartbeatRow) -> datetime:
    try:
        started = datetime.fromisoformat(str(sign.detail.get("started_at")))
    except ValueError:
        return sign.at - timedelta(days=1)
    return started if started.tzinfo else started.replace(tzinfo=UTC)


def _workers(
    signs: Sequence[HeartbeatRow], alive: Sequence[HeartbeatRow], canary: HeartbeatRow | None, now: datetime
) -> Finding:
    newest = max((sign.at for sign in signs), default=None)
    if newest is None:
        # A worker that is stopped in order takes its own sign away.
        words = "no worker is running" if canary else f"a worker {NEVER}"
        return Finding(status="fail", time=now, output=f"{words}: start walltrack-worker")
    if not alive:
        words = f"the last worker was seen {span((now - newest).total_seconds())} ago: start walltrack-worker"
        return Finding(status="fail", time=now, output=words, last_seen=newest)
    facts = {
        sign.name.removeprefix(WORKER_PREFIX): {
            "last_seen": moment(sign.at),
            **{
                key: sign.detail[key] for key in ("active", "concurrency", "queues", "started_at") if key in sign.detail
            },
        }
        for sign in alive
    }
    words = "one worker" if len(alive) == 1 else f"{len(alive)} workers"
    return Finding(status="pass", time=now, output=words, last_seen=newest, facts=facts)


def _regular(
    sign: HeartbeatRow | None,
    now: datetime,
    dead_seconds: int,
    what: str,
    remedy: str,
    *,
    warn_seconds: int | None = None,
    excuse: str = "",
) -> Finding:
    if sign is None:
        return Finding(status="warn" if excuse else "fail", time=now, output=f"{what} {NEVER}: {excuse or remedy}")
    age = (now - sign.at).total_seconds()
    words = f"{what}: {span(age)} ago"
    if age <= (warn_seconds or dead_seconds):
        return Finding(status="pass", time=now, output=words, last_seen=sign.at)
    status: Status = "fail" if age > dead_seconds and not excuse else "warn"
    return Finding(status=status, time=now, output=f"{words}: {excuse or remedy}", last_seen=sign.at)


def judge_providers(seen: Sequence[ProviderSeen], now: datetime) -> Finding:
    """In trouble: nobody asks it for now (its breaker is open), or its last answer was a failure."""
    if not seen:
        return Finding(status="pass", time=now, output="no provider was asked yet")
    facts, troubles = {}, []
    for provider in seen:
        trouble = ""
        if provider.left_alone(now) and provider.open_until is not None:
            trouble = f"left alone for {span((provider.open_until - now).total_seconds())} after repeated failures"
        elif provider.failing() and provider.last_failure_at is not None:
            trouble = f"last failed {span((now - provider.last_failure_at).total_seconds())} ago"
        if trouble:
            troubles.append(f"{provider.name}: {trouble}" + (f" ({provider.cause})" if provider.cause else ""))
        facts[provider.name] = {
            "status": "warn" if trouble else "pass",
            "last_success": moment(provider.last_success_at),
            "last_failure": moment(provider.last_failure_at),
            "open_until": moment(provider.open_until),
        }
    return Finding(
        status="warn" if troubles else "pass",
        time=now,
        output="; ".join(troubles) or "the last answer of each was good",
        last_seen=max((provider.last_success_at for provider in seen if provider.last_success_at), default=None),
        facts=facts,
    )


def judge_scheduler(view: SchedulerView, now: datetime) -> Finding:
    """Off is a warning; overdue too, and a failure once two intervals are missed."""
    if not view.enabled:
        return Finding(status="warn", time=now, output=f"no run starts by itself: {view.reason}")
    if view.overdue_seconds:
        missed = view.overdue_seconds > 2 * view.schedule_hours * 3600
        words = f"a run is overdue by {span(view.overdue_seconds)}: look at the beat, tick and workers checks"
        return Finding(status="fail" if missed else "warn", time=now, output=words)
    if view.next_run is None:
        words = f"every {view.schedule_hours} h; the first tick sets the next run"
    elif view.next_run <= now:
        words = f"every {view.schedule_hours} h; a run is due now"
    else:
        words = f"every {view.schedule_hours} h; next in {span((view.next_run - now).total_seconds())}"
    return Finding(status="pass", time=now, output="; ".join(filter(None, (words, view.note))))


def judge_runs(active: ActiveRunState | None, last: LastRun | None, now: datetime, dead_seconds: int) -> Finding:
    """The active run must be heard of; a failed last run is said."""
    if active is not None:
        silent = (now - active.last_sign_at).total_seconds()
        facts = {"run": active.id, "stage": active.stage}
        if silent > dead_seconds:
            words = (
                f"run {active.id} ({active.status}, stage {active.stage}) has stalled: not heard of for {span(silent)}"
                "; look at the workers check, then cancel it and start it anew"
            )
            return Finding(status="warn", time=now, output=words, last_seen=active.last_sign_at, facts=facts)
        words = f"run {active.id} is {active.status}, stage {active.stage}"
        return Finding(status="pass", time=now, output=words, last_seen=active.last_sign_at, facts=facts)
    if last is None:
        return Finding(status="pass", time=now, output="no run yet")
    ended = last.completed_at or last.started_at
    words = f"the last run {last.status} {span((now - ended).total_seconds())} ago"
    if last.status == "failed":
        words = ": ".join([words, *last.errors[:1]])
    return Finding(status="warn" if last.status == "failed" else "pass", time=now, output=words, last_seen=ended)
