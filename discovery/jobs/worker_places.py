"""How many steps workers can hold, and how a run and the lone steps share the places.

Neither side can starve the other: while a run of workers is active, waiting lone steps
have a third of the places, one at least, and the run has the others, one at least.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from django.db.models import Count, Q

from discovery.models import Heartbeat, Run, RunStep
from discovery.models.enums import StepKind, StepStatus

WALLETS_AT_ONCE: Final = 8
"""Wallets of a run that are profiled in one place: what they read from the database and
store there is shared.
"""
LONE_SHARE: Final = 3
"""One place in so many is for lone steps."""
_ENQUEUED: Final = Q(status=StepStatus.RUNNING) | Q(enqueued_at__isnull=False)
"""Among open steps: claimed, or in the queue."""


class _Places(msgspec.Struct, frozen=True):
    """Places of all live workers, and the lone steps that are running or may start: all,
    and those that have a place.
    """

    capacity: int
    lone_ready: int
    lone_enqueued: int

    @property
    def lone_share(self) -> int:
        """Places for lone steps while a run is active."""
        return max(1, self.capacity // LONE_SHARE)


def leaders(
    steps: Iterable[tuple[int, str]], *, has_call_limit: bool
) -> list[tuple[int, str]]:
    """Return the steps (id, kind) to start, of those that may start in the order of their
    ids: of wallets every eighth, since it claims those that follow.

    has_call_limit: the run works on one step at a time, so that each starts by itself.
    """
    chosen: list[tuple[int, str]] = []
    wallet_count = 0
    for step_id, kind in steps:
        is_follower = False
        if kind == StepKind.WALLET and not has_call_limit:
            is_follower = wallet_count % WALLETS_AT_ONCE > 0
            wallet_count += 1
        if not is_follower:
            chosen.append((step_id, kind))
    return chosen


def capacity() -> int:
    """Return how many steps live workers can hold at once, 1 at least.

    One process of each worker stays free for the tick and the canary. Never enqueue
    more than this, so that no worker prefetches work it cannot start; a step that is
    still in the database can be cancelled at once.
    """
    total = 0
    for heartbeat in Heartbeat.objects.alive():
        process_count = int(heartbeat.detail.get("concurrency", 1))
        total += max(1, process_count - 1)
    return max(1, total)


def room_for_run(run: Run) -> int:
    """Return how many more steps of the run may be enqueued. A run with a limit of calls
    has one step on its way.
    """
    enqueued_count = _places_of(run)
    if run.params.max_requests_per_run is not None:
        return max(0, 1 - enqueued_count)
    places = _places()
    lone_count = max(
        min(
            places.lone_ready, places.lone_share
        ),  # a place is kept for those that wait
        places.lone_enqueued,
    )
    return max(1, places.capacity - lone_count) - enqueued_count


def room_for_lone_steps() -> int:
    """Return how many more lone steps may be enqueued."""
    places = _places()
    run = Run.objects.for_workers().first()
    if run is None:
        return places.capacity - places.lone_enqueued
    free_count = places.capacity - _places_of(run)
    limit = max(1, min(places.lone_share, free_count))
    return limit - places.lone_enqueued


def _places_of(run: Run) -> int:
    """Return how many places the steps of a run take: those claimed together take one."""
    counts = run.steps.enqueued().aggregate(
        claims=Count("claimed_by", distinct=True, filter=Q(status=StepStatus.RUNNING)),
        waiting=Count("pk", filter=~Q(status=StepStatus.RUNNING)),
    )
    return int(counts["claims"] + counts["waiting"])


def _places() -> _Places:
    lone = RunStep.objects.lone()
    ready = lone.running() | lone.due()
    counts = ready.aggregate(ready=Count("pk"), enqueued=Count("pk", filter=_ENQUEUED))
    return _Places(capacity(), counts["ready"], counts["enqueued"])
