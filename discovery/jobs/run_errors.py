"""The error list of a run: appended to while it runs, completed from its steps when it
is closed.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
from django.db import connection

from discovery.domain.run_errors import RunError
from discovery.models import Run
from discovery.models.enums import StepKind

MAX_ERRORS: Final = 200

# The earlier system wrote nulls, and some of its versions a plain string or object.
_ERROR_LIST: Final = """CASE jsonb_typeof(errors) WHEN 'array' THEN errors WHEN 'object' THEN jsonb_build_array(errors)
    WHEN 'string' THEN jsonb_build_array(errors) ELSE '[]'::jsonb END"""


def append_errors(run_id: uuid.UUID, errors: list[RunError]) -> None:
    """Append entries in one statement, so that two writers lose nothing. Entries past
    MAX_ERRORS are dropped.
    """
    if not errors:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE discovery_runs SET errors = ({_ERROR_LIST}) || %s::jsonb"  # noqa: S608  a constant
            f" WHERE id = %s AND jsonb_array_length({_ERROR_LIST}) < %s",
            [msgspec.json.encode(errors[:MAX_ERRORS]).decode(), run_id, MAX_ERRORS],
        )


def collect_step_errors(run: Run) -> list[RunError]:
    """Return the errors of the run's steps in their order. Identical wallet errors are
    merged, with a count.
    """
    collected: list[RunError] = []
    counts: Counter[tuple[str, str]] = Counter()
    for kind, errors in run.steps.order_by("pk").values_list("kind", "errors"):
        if kind == StepKind.WALLET:
            collected += _count_and_yield_new(errors, counts)
        else:
            collected += errors
    for entry in collected:
        _add_count(entry, counts)
    return collected


def _count_and_yield_new(
    errors: list[RunError], counts: "Counter[tuple[str, str]]"
) -> Iterator[RunError]:
    """Count the errors by code and message. Yield the first one of each."""
    for entry in errors:
        cause = (entry["code"], entry["message"])
        counts[cause] += 1
        if counts[cause] == 1:
            yield entry


def _add_count(entry: RunError, counts: "Counter[tuple[str, str]]") -> None:
    count = counts[entry["code"], entry["message"]]
    if count > 1 and entry["step"].startswith("wallet "):
        entry["step"] = f"{count} wallets"
        entry["message"] = f"{entry['message']} ({count} wallets alike)"
