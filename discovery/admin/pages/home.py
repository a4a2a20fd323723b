"""The Discovery page: scheduler, parameters, the active run, pumps, statistics and
history.
"""

from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from discovery import costs, services
from discovery.admin.pages.access import (
    VIEW_RUNS,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.config_sections import saved_params, schedule_values
from discovery.admin.pages.forms import ParamsForm
from discovery.admin.pages.report import unbroken
from discovery.domain.run_params import NUMBER_SPECS, Params
from discovery.reads import config, health, live, pumps, report_sentence
from discovery.reads.credit_stop import credit_stop
from walltrack import clock

RUN_BEGAN_OR_ENDED: Final = "run-ended"


@staff_view(VIEW_RUNS)
def home(request: HttpRequest) -> HttpResponse:
    """Render the page. Statistics and history load by themselves right after
    it, and so does the sentence of the report if it must be computed."""
    saved = config.config_view()
    view = live.live_view()
    values = {
        **_live_values(view),
        **schedule_values(saved, view),
        "form": ParamsForm(saved=saved_params(saved)),
        "config": saved,
        "pumps": pumps.pumps_view(),
        "sentence": unbroken(report_sentence.cached_sentence() or ""),
    }
    return render_page(request, "discovery/home.html", "Discovery", values)


@staff_view(VIEW_RUNS)
def live_fragment(request: HttpRequest) -> HttpResponse:
    """Render the parts that change by themselves, or 204 if the page shows them
    already: one query then.
    """
    shown_revision = request.GET.get("revision", "")
    if shown_revision and shown_revision == live.revision():
        return HttpResponse(status=204)
    view = live.live_view()
    values = {**_live_values(view), **schedule_values(config.config_view(), view)}
    values["stale"] = _shows_other_version(request, view.config_version)
    event = RUN_BEGAN_OR_ENDED if _has_run_begun_or_ended(request, view) else ""
    return render_fragment(request, "discovery/live.html", values, event=event)


def _shows_other_version(request: HttpRequest, current: int) -> bool:
    """Return True if a section of the page was rendered from another version of the
    configuration.
    """
    shown = {
        request.GET.get(name, "") for name in ("params_version", "schedule_version")
    }
    return bool(shown - {"", str(current)})


def _has_run_begun_or_ended(request: HttpRequest, view: live.LiveView) -> bool:
    """Return True if statistics and history, another part of the page, must be loaded
    again.
    """
    was_active = bool(request.GET.get("active"))
    if was_active != (view.active is not None):
        return True
    return view.last is not None and request.GET.get("last", "") != str(view.last.id)


def _live_values(view: live.LiveView) -> dict[str, Any]:
    now = timezone.now()
    providers = health.provider_states()
    troubles = [
        provider
        for provider in providers
        if provider.is_circuit_open(now) or provider.is_failing()
    ]
    return {
        "live": view,
        "workers": view.workers,
        "troubles": troubles,
        "credit_stop": credit_stop(clock.now()),
    }


@staff_view(VIEW_RUNS)
def estimate(request: HttpRequest) -> HttpResponse:
    """Render the expected cost of a run with the parameters on the form, and of a month."""
    try:
        params = _typed_params(request)
    except ValueError:
        return render_fragment(request, "discovery/plan.html", {"plan": None})
    return render_fragment(
        request, "discovery/plan.html", {"plan": costs.cost_plan(params)}
    )


def _typed_params(request: HttpRequest) -> Params:
    """Return the saved parameters with what is on the form over them; of the flags the
    cost does not depend. Raises ValueError.
    """
    values: dict[str, Any] = {}
    for name, spec in NUMBER_SPECS.items():
        text = request.GET.get(name)
        if text is not None:
            values[name] = None if spec.is_optional and not text else spec.check(text)
    values["profile_immediately"] = request.GET.get("profile_immediately") == "on"
    return msgspec.structs.replace(config.stored_params(), **values)


@staff_view(VIEW_RUNS)
def pumps_now(request: HttpRequest) -> HttpResponse:
    """Render the tokens that pump now, as last seen. If that is long ago, a worker is
    asked for a new list.
    """
    view = pumps.pumps_view()
    is_sent = True
    if view.stale:
        is_sent = services.request_pumps()
        view = pumps.pumps_view()
    values = {"pumps": view, "waits": not is_sent, "opened": True}
    return render_fragment(request, "discovery/pumps.html", values)
