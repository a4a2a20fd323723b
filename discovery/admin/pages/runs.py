"""One run: in a dialog the essentials, on its page everything."""

import uuid
from functools import partial
from typing import Any, Final

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from discovery import services
from discovery.admin.pages.access import START_RUNS, VIEW_RUNS, render_fragment, render_page, staff_view
from discovery.admin.pages.paging import page_number, paged
from discovery.domain.funnel import ordered_funnel
from discovery.domain.run_params import NUMBER_SPECS
from discovery.models import Run
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStatus, Trigger
from discovery.reads import live, runs, timeline
from discovery.reads.paging import Page

NOT_ENQUEUED: Final = "The queue of work is out of reach; it starts when that is back."
ROWS: Final = 25
IN_DIALOG: Final = 8


@staff_view(VIEW_RUNS)
def run_page(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Everything a run says of itself."""
    found = _found(run_id)
    values = {**_shown(found), **_body(request, run_id)}
    return render_page(request, "discovery/run.html", f"Run {str(run_id)[:8]}", values)


@staff_view(VIEW_RUNS)
def dialog(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Parameters, wallets and errors, short."""
    found = _found(run_id)
    values = {**_shown(found), "wallets": runs.run_wallets(run_id, Page(1, IN_DIALOG), exists=True)}
    return render_fragment(request, "discovery/run_dialog.html", values)


@staff_view(VIEW_RUNS)
def live_fragment(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The head of a run's page while it works, 204 where it shows it already: one query then.

    Where the run is over the page is loaded anew, whole.
    """
    now = live.run_revision(run_id)
    if request.GET.get("revision") == now:
        return HttpResponse(status=204)
    values = {**_shown(_found(run_id)), "live": live.active_run(run_id), "revision": now}
    if not values["active"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render_fragment(request, "discovery/run_head.html", values, HX_Trigger="run-moved")


@staff_view(VIEW_RUNS)
def body(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Timeline, wallets, tokens and usage of a run at work: asked for when its head has moved."""
    return render_fragment(request, "discovery/run_body.html", {**_shown(_found(run_id)), **_body(request, run_id)})


@staff_view(START_RUNS, method="POST")
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Ask the run to end."""
    quiet = request.POST.get("from") == "home"  # there the run itself says it
    try:
        services.cancel_run(run_id, request.user.get_username())
    except Run.DoesNotExist:
        raise Http404 from None
    except services.WrongState as state:
        if not quiet:
            messages.warning(request, f"The run cannot be cancelled: it is {state.status}.")
        return _to(request, run_id)
    if not quiet:
        messages.success(request, "The run ends as soon as its steps have noticed; what it found is kept.")
    return _to(request, run_id)


@staff_view(START_RUNS, method="POST")
def retry(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A new run with the same parameters."""
    try:
        run = services.retry_run(run_id, trigger=Trigger.MANUAL, triggered_by=request.user.get_username())
    except Run.DoesNotExist:
        raise Http404 from None
    except services.WrongState as state:
        messages.warning(request, f"The run cannot be retried: it is {state.status}.")
    except services.RunAlreadyActive as active:
        messages.warning(request, "Another run is active; this one can be retried when it has ended.")
        return _to(request, active.run_id)
    else:
        if services.is_enqueued(run):
            messages.success(request, "A new run with the same parameters is queued.")
        else:
            messages.warning(request, f"A new run with the same parameters is queued. {NOT_ENQUEUED}")
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
    except Run.DoesNotExist:
        raise Http404 from None


def _body(request: HttpRequest, run_id: uuid.UUID) -> dict[str, Any]:
    wallets_page, wallets = paged(page_number(request), ROWS, partial(runs.run_wallets, run_id, exists=True))
    tokens_page, tokens = paged(page_number(request, "tokens"), ROWS, partial(runs.run_tokens, run_id, exists=True))
    return {
        "timeline": timeline.timeline(run_id),
        "tokens": tokens,
        "tokens_page": tokens_page,
        "wallets": wallets,
        "wallets_page": wallets_page,
    }


_WHY: Final[dict[str, tuple[str, str]]] = {
    RunStatus.CANCELLED: ("Why it ended", "what was found before stands"),
    RunStatus.SKIPPED: ("Why it did not run", ""),
}
_NOTHING_FOUND: Final[dict[str, str]] = {
    RunStatus.CANCELLED: "None was found before it was cancelled.",
    RunStatus.SKIPPED: "The slot was skipped: nothing was looked for.",
    RunStatus.FAILED: "None was found before it failed.",
}


def _shown(run: runs.RunDetail) -> dict[str, Any]:
    active = run.status in ACTIVE_RUN_STATUSES and run.progress.stage is not None
    params = msgspec.structs.asdict(run.params)
    funnel = ordered_funnel(run.funnel)
    most = max((count for _, count in funnel), default=1)
    return {
        "run": run,
        "active": active,
        "retryable": not active and run.status != RunStatus.SKIPPED,
        "why": _WHY.get(run.status, ("What went wrong", "what was lost, in words; the rest of the run stands")),
        "nothing_found": _NOTHING_FOUND.get(run.status, ""),
        "params": [(spec.label, params[name], spec.unit) for name, spec in NUMBER_SPECS.items()],
        "funnel": [(name, count, max(1, round(100 * count / max(1, most)))) for name, count in funnel],
        "calls": sum(row.calls for row in run.usage.values()),
    }
