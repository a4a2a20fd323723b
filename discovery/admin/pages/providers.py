"""The providers: what they answer, when they failed last, and what the month has used."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from discovery import costs, services
from discovery.admin.pages.access import (
    START_RUNS,
    VIEW_RUNS,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.reads import config
from discovery.reads.provider_page import providers_view


@staff_view(VIEW_RUNS)
def providers_page(request: HttpRequest) -> HttpResponse:
    """Render the last check, the last requests and the plan of the month."""
    values = {**_values(), "plan": costs.cost_plan(config.stored_params())}
    return render_page(request, "discovery/providers.html", "Providers", values)


@staff_view(VIEW_RUNS)
def provider_check(request: HttpRequest) -> HttpResponse:
    """Render the last check; the page asks again while one runs."""
    return render_fragment(request, "discovery/providers/check.html", _values())


@staff_view(START_RUNS, method="POST")
def check_now(request: HttpRequest) -> HttpResponse:
    """Ask a worker to check the providers."""
    is_sent = services.request_provider_check()
    values = _values() | {"waits": not is_sent}
    return render_fragment(request, "discovery/providers/check.html", values)


def _values() -> dict[str, Any]:
    return {"view": providers_view()}
