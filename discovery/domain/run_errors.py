"""Entries of a run's error list: what a step could not do, for operators and programs."""

from enum import StrEnum
from typing import Final

MAX_MESSAGE_LENGTH: Final = 500

RunError = dict[str, str]
"""One entry: `step` (the unit of work), `code` (an ErrorCode or a provider's error
code), `message` (plain words).
"""


class ErrorCode(StrEnum):
    """Causes that the engine itself knows. Provider errors bring codes of their own
    (discovery/providers/errors.py).
    """

    BAD_PAYLOAD = "bad_payload"
    BUDGET = "budget"
    CANCELLED = "cancelled"
    CREDITS = "credits"
    INCOMPLETE = "incomplete"
    INTERNAL = "internal"
    INTERRUPTED = "interrupted"
    NOTHING_ANSWERED = "nothing_answered"
    PLAN_CUT = "plan_cut"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"
    WORKER_DIED = "worker_died"


def run_error(step: str, code: str, message: str) -> RunError:
    """Return an entry for the error list of a run; `message` is cut to 500
    characters.
    """
    return {"step": step, "code": str(code), "message": message[:MAX_MESSAGE_LENGTH]}


class WarningSink:
    """Collects what one step could not do. The entries are stored with the completion
    of the step.
    """

    def __init__(self, step: str) -> None:
        self.step = step
        self.entries: list[RunError] = []

    def add(self, message: str, *, code: str = ErrorCode.INCOMPLETE) -> None:
        """Add an entry in plain words."""
        self.entries.append(run_error(self.step, code, message))

    @property
    def messages(self) -> list[str]:
        """The entries in words."""
        return [entry["message"] for entry in self.entries]
