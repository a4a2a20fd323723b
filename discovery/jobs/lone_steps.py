"""Lone steps: work that belongs to no run, such as the profile that somebody asked for.

They are claimed, repeated, stored and closed like the steps of a run (`step_queue`). The
row is the request: a lost message is sent again, and of the same kind and key one step is
open at a time.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Now

from discovery.jobs import broker
from discovery.jobs.worker_places import room_for_lone_steps
from discovery.models import RunStep
from discovery.models.enums import LONE_STEP_KINDS, StepKind

MAX_ADD_ATTEMPTS: Final = 3
BATCH: Final = 500
LOCK_KEY: Final = 0x57_54_4C_53
"""Advisory lock of those who choose which lone steps are sent: nobody counts the places
twice.
"""
MAX_URGENT: Final = 20
"""More steps that are added at once are bulk: they wait for all others."""
_BULK: Final = {"bulk": True}
_URGENCY: Final = Case(
    When(payload__bulk=True, then=Value(len(LONE_STEP_KINDS))),
    *(When(kind=kind, then=Value(place)) for place, kind in enumerate(LONE_STEP_KINDS)),
    output_field=IntegerField(),
)


def add_lone_step(
    kind: StepKind, key: str = "", payload: Mapping[str, Any] | None = None
) -> RunStep:
    """Add an open step, sent to a worker on commit; if one with this kind and key is open,
    return that one.

    payload: what the step works on, beyond its key; JSON.
    """
    step = None
    for _ in range(MAX_ADD_ATTEMPTS):
        step = _create(kind, key, payload or {})
        step = step or RunStep.objects.open_lone(kind, key).first()
        if step is not None:
            break  # else the open step in the way has just been closed: look again
    if step is None:
        raise RuntimeError("steps start and end too fast to find one between them")
    transaction.on_commit(enqueue_lone_steps)
    return step


def add_lone_steps(kind: StepKind, keys: Iterable[str]) -> None:
    """Add an open step for each key that has none, sent to workers on commit. More than
    MAX_URGENT of them are done after all other work.
    """
    wanted = list(keys)
    payload = _BULK if len(wanted) > MAX_URGENT else {}
    steps = [RunStep(kind=kind, key=key, payload=payload) for key in wanted]
    RunStep.objects.bulk_create(steps, batch_size=BATCH, ignore_conflicts=True)
    transaction.on_commit(enqueue_lone_steps)


def _create(kind: StepKind, key: str, payload: Mapping[str, Any]) -> RunStep | None:
    """Return a new step, or None if one with this key is open."""
    try:
        with transaction.atomic():
            return RunStep.objects.create(kind=kind, key=key, payload=dict(payload))
    except IntegrityError:
        return None


def enqueue_lone_steps() -> None:
    """Send workers as many lone steps as they have room for, the most urgent kind first
    and bulk last, then the oldest.

    Called whenever a step is added or has ended, and by the sweeper: a second call
    changes nothing.
    """
    ready = RunStep.objects.lone().due().filter(enqueued_at__isnull=True)
    if not ready.exists():
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        room = room_for_lone_steps()
        if room <= 0:
            return
        ordered = ready.order_by(_URGENCY, "created_at", "pk")
        steps = list(ordered.values_list("pk", "kind")[:room])
        if steps:
            ready.filter(pk__in=[pk for pk, _ in steps]).update(enqueued_at=Now())
            transaction.on_commit(partial(broker.send_steps, steps))
