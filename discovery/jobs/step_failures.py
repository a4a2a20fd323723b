"""What a step that has failed for good tells those who wait for its result."""

from collections.abc import Callable, Mapping
from typing import Final

from discovery.models.enums import StepKind
from discovery.pipeline.profile_on_demand import save_profile_error
from discovery.pipeline.refresh_pumps import save_pumps_error

SaveFailure = Callable[[str, str], None]
"""Stores the cause, in plain words, for the step with this key."""


def save_failure(kind: str, key: str, cause: str) -> None:
    """Store why the step failed, inside the transaction that fails it. Kinds that nobody
    waits for store nothing.
    """
    save = FAILURE_OF_KIND.get(kind)
    if save is not None:
        save(key, cause)


def _save_pumps_failure(_key: str, cause: str) -> None:
    save_pumps_error(cause)


FAILURE_OF_KIND: Final[Mapping[str, SaveFailure]] = {
    StepKind.PROFILE: save_profile_error,
    StepKind.PUMPS: _save_pumps_failure,
}
