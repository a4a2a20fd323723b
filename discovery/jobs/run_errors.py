"""What a run has to say of its losses: appended as they come, collected from its steps when it is closed."""

import uuid
from typing import Final

import msgspec
from django.db import connection

from discovery.models import Run
from discovery.models.enums import StepKind

MAX_ERRORS: Final = 200


def run_error(step: str, code: str, message: str) -> dict[str, str]:
    """One entry of a run's errors."""
    return {"step": step, "code": code, "message": message[:500]}


# The earlier system wrote nulls, and some of its versions a plain string or object.
_ERROR_LIST: Final = """CASE jsonb_typeof(errors) WHEN 'array' THEN errors WHEN 'object' THEN jsonb_build_array(errors)
    WHEN 'string' THEN jsonb_build_array(errors) ELSE '[]'::jsonb END"""


def append_errors(run_id: uuid.UUID, errors: list[dict[str, str]]) -> None:
    """Append, in one statement: two writers lose nothing. Past MAX_ERRORS the rest is not kept."""
    if not errors:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE discovery_runs SET errors = ({_ERROR_LIST}) || %s::jsonb"  # noqa: S608  a constant
            f" WHERE id = %s AND jsonb_array_length({_ERROR_LIST}) < %s",
            [msgspec.json.encode(errors[:MAX_ERRORS]).decode(), run_id, MAX_ERRORS],
        )


def collect_step_errors(run: Run) -> list[dict[str, str]]:
    """What its steps lost, in their order. What befell many wallets alike is one entry, with how many."""
    found: list[dict[str, str]] = []
    alike: dict[tuple[str, str], int] = {}
    for kind, errors in run.steps.order_by("pk").values_list("kind", "errors"):
        for each in errors:
            if kind == StepKind.WALLET:
                what = (each["code"], each["message"])
                alike[what] = alike.get(what, 0) + 1
                if alike[what] > 1:
                    continue
            found.append(each)
    for each in found:
        count = alike.get((each["code"], each["message"]), 1)
        if count > 1 and each["step"].startswith("wallet "):
            each["step"], each["message"] = f"{count} wallets", f"{each['message']} ({count} wallets alike)"
    return found
