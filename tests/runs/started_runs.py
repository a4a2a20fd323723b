"""Runs and steps that a test starts and completes itself."""

from discovery.domain.run_params import Params
from discovery.jobs import run_lifecycle, step_queue
from discovery.models import Run
from discovery.models.enums import Trigger

MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"


def start() -> Run:
    """Start a run in the foreground, so that a test works on its steps."""
    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(),
            trigger=Trigger.MANUAL,
            triggered_by="ana",
            in_foreground=True,
        )
    )


def complete(claim: step_queue.Claim, counts: dict, usage: dict) -> bool:
    """Complete the step with nothing to store. Return False if the claim is lost."""
    try:
        with step_queue.completion(claim, counts=counts, usage=usage):
            return True
    except step_queue.ClaimLost:
        return False


def step_of(run: Run) -> int:
    """Return the id of the first step of a run: the search."""
    return run.steps.get().pk
