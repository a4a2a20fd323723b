"""The context of the work on claimed steps."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from discovery.clients.usage import UsageMeter
from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.jobs.step_queue import Claim, Completed, StepUsage, completion
from discovery.models import Config, Run


class StepContext:
    """Context of the work on one claimed step: run, claim, parameters, payload, meter and
    warnings.

    A lone step has no run: its parameters are those of the configuration, and its calls
    have no limit. Construction may need a query.
    """

    def __init__(self, run: Run | None, claim: Claim) -> None:
        self.run = run
        self.claim = claim
        self.params = _params_of(run)
        self.payload = claim.payload
        self.meter = UsageMeter(self.params.max_requests_per_run)
        self.warnings = WarningSink(claim.name)

    @property
    def owning_run(self) -> Run:
        """The run of the step. Raises ValueError for a lone step."""
        if self.run is None:
            raise ValueError(f"the step {self.claim.name} belongs to no run")
        return self.run

    def completed(self, counts: dict[str, Any]) -> Completed:
        """Return the step as it is closed when its work is done."""
        return Completed(
            self.claim, counts, self.meter.usage(), tuple(self.warnings.entries)
        )

    def store(
        self,
        save: Callable[..., None],
        *args: Any,
        counts: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Call `save(*args, **kwargs)` within the completion of the step. Raises
        ClaimLost.
        """
        with completion(
            self.claim,
            counts=counts,
            usage=self.meter.usage(),
            errors=self.warnings.entries,
        ):
            save(*args, **kwargs)


class StepGroup:
    """Steps that were claimed together: one, or several wallets of a run. They end one by
    one; `open` are those that have not ended.
    """

    def __init__(self, steps: Sequence[StepContext]) -> None:
        self.first = steps[0]
        self.open = list(steps)

    def end(self, step: StepContext) -> None:
        """Take note that a step has ended."""
        self.open.remove(step)

    def usage(self) -> list[StepUsage]:
        """Return what the open steps have used in this attempt."""
        return [StepUsage(step.claim, step.meter.usage()) for step in self.open]


def _params_of(run: Run | None) -> Params:
    if run is not None:
        return run.params
    params = Config.load().params
    return msgspec.structs.replace(params, max_requests_per_run=None)
