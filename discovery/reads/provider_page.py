"""The page Providers: their last requests, the last check, and the usage of the month."""

from datetime import datetime

import msgspec

from discovery.domain.provider_checks import ProviderReport, report_from
from discovery.models import RunStep
from discovery.models.enums import StepKind, StepStatus
from discovery.reads.health import ProviderState, provider_states


class LastCheck(msgspec.Struct, frozen=True):
    """The last check that has ended. report: None if it failed, with the cause."""

    at: datetime
    report: ProviderReport | None
    problem: str


class ProvidersView(msgspec.Struct, frozen=True):
    """providers: last success and failure. is_checking: a check is requested or runs."""

    providers: list[ProviderState]
    is_checking: bool
    last_check: LastCheck | None


def providers_view() -> ProvidersView:
    """Return what is known of the providers. Three queries."""
    return ProvidersView(
        providers=provider_states(),
        is_checking=RunStep.objects.open_lone(StepKind.CHECK).exists(),
        last_check=_last_check(),
    )


def _last_check() -> LastCheck | None:
    steps = RunStep.objects.lone().closed().filter(kind=StepKind.CHECK)
    step = steps.order_by("-completed_at").first()
    if step is None or step.completed_at is None:
        return None
    report = None
    if step.status == StepStatus.DONE:
        report = report_from(step.counts)
    return LastCheck(step.completed_at, report, step.error)
