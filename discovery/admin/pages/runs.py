"""One run: in a dialog the essentials, on its page everything."""

import uuid
from typing import Any, Final

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from discovery import actions
from discovery.admin.pages.access import START_RUNS, VIEW_RUNS, page, part, whole_page
from discovery.admin.pages.forms import LABELS
from discovery.domain.funnel import ordered
from discovery.models import DiscoveryRun
from discovery.models.choices import ACTIVE_RUN_STATUSES, RunStatus, Trigger
from discovery.reads import live, runs, timeline
from discovery.reads.pages import Page

ROWS: Final = 25
IN_DIALOG: Final = 8


@page(VIEW_RUNS)
def run_page(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Everything a run says of itself."""
    found = _found(run_id)
    number, of_tokens = _page_number(request, "page"), _page_number(request, "tokens")
    values = {
        **_shown(found),
        "timeline": timeline.timeline(run_id),
        "tokens": runs.run_tokens(run_id, Page(of_tokens, ROWS), exists=True),
        "tokens_page": of_tokens,
        "wallets": runs.run_wallets(run_id, Page(number, ROWS), exists=True),
        "wallets_page": number,
    }
    return whole_page(request, "discovery/run.html", f"Run {str(run_id)[:8]}", values)


@page(VIEW_RUNS)
def dialog(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Parameters, wallets and errors, short."""
    found = _found(run_id)
    values = {**_shown(found), "wallets": runs.run_wallets(run_id, Page(1, IN_DIALOG), exists=True)}
    return part(request, "discovery/run_dialog.html", values)


@page(VIEW_RUNS)
def moving(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The head of a run's page while it works; where it is over the page is loaded anew, whole."""
    found = _found(run_id)
    values = {**_shown(found), "live": live.active_run(run_id)}
    if not values["active"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return part(request, "discovery/run_head.html", values)


@page(START_RUNS, method="POST")
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Ask the run to end."""
    quiet = request.POST.get("from") == "home"  # there the run itself says it
    try:
        actions.cancel(run_id, request.user.get_username())
    except DiscoveryRun.DoesNotExist:
        raise Http404 from None
    except actions.WrongState as state:
        if not quiet:
            messages.warning(request, f"The run cannot be cancelled: it is {state.status}.")
        return _to(request, run_id)
    if not quiet:
        messages.success(request, "The run ends as soon as its steps have noticed; what it found is kept.")
    return _to(request, run_id)


@page(START_RUNS, method="POST")
def retry(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A new run with the same parameters."""
    try:
        run = actions.retry(run_id, trigger=Trigger.MANUAL, triggered_by=request.user.get_username())
    except DiscoveryRun.DoesNotExist:
        raise Http404 from None
    except actions.WrongState as state:
        messages.warning(request, f"The run cannot be retried: it is {state.status}.")
    except actions.ActiveRun as active:
        messages.warning(request, "Another run is active; this one can be retried when it has ended.")
        return _to(request, active.run_id)
    else:
        messages.success(request, "A new run with the same parameters is queued.")
        return _to(request, run.pk)
    return _to(request, run_id)


def _to(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Back to where the button was: the Discovery page stays, a run's page goes to the run."""
    if request.headers.get("HX-Request") == "true" and request.POST.get("from") == "home":
        return HttpResponse(status=204, headers={"HX-Trigger": "run-started"})
    url = reverse("discovery:run", args=[run_id])
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _found(run_id: uuid.UUID) -> runs.RunDetail:
    try:
        return runs.run_detail(run_id)
    except DiscoveryRun.DoesNotExist:
        raise Http404 from None


def _page_number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "1")
    return min(max(1, int(text)), 4000) if text.isascii() and text.isdigit() else 1


def _shown(run: runs.RunDetail) -> dict[str, Any]:
    active = run.status in ACTIVE_RUN_STATUSES and run.progress.stage is not None
    params = msgspec.structs.asdict(run.params)
    funnel = ordered(run.funnel)
    most = max((count for _, count in funnel), default=1)
    return {
        "run": run,
        "active": active,
        "retryable": not active and run.status != RunStatus.SKIPPED,
        "params": [(label, params[name], unit) for name, (label, unit, _) in LABELS.items()],
        "funnel": [(name, count, max(1, round(100 * count / max(1, most)))) for name, count in funnel],
        "calls": sum(row.calls for row in run.usage.values()),
    }
