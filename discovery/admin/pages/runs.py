"""One run: the essentials in a dialog, everything on its page."""

import uuid
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from discovery import services
from discovery.admin.pages.access import (
    START_RUNS,
    VIEW_RUNS,
    is_fragment,
    redirect_to,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.config_sections import NOT_ENQUEUED, RUN_STARTED
from discovery.admin.pages.paging import fetch_page, page_number
from discovery.domain.addresses import is_address
from discovery.domain.funnel import ordered_funnel
from discovery.domain.run_params import NUMBER_SPECS
from discovery.models import Run
from discovery.models.enums import RunStatus, Trigger
from discovery.reads import (
    buyer_counts,
    live,
    positions,
    run_findings,
    runs,
    timeline,
)
from discovery.reads.buyer_counts import QUALIFIED
from discovery.reads.cut_windows import cut_windows
from discovery.reads.filters import EarlyBuyerFilterSet, RunTokenFilterSet
from discovery.reads.paging import Page

ROWS: Final = 25
DIALOG_ROWS: Final = 8
RUN_CHANGED: Final = "run-moved"


@staff_view(VIEW_RUNS)
def run_page(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Render the page of a run. Raises Http404 for an unknown one."""
    run = _run_or_404(run_id)
    values = {**_head_values(run), **_body_values(request, run)}
    return render_page(request, "discovery/run.html", f"Run {str(run_id)[:8]}", values)


@staff_view(VIEW_RUNS)
def dialog(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Render parameters, first wallets and errors of a run. Raises Http404 for an
    unknown one.
    """
    values = _head_values(_run_or_404(run_id))
    values["wallets"] = run_findings.run_wallets(
        run_id, Page(1, DIALOG_ROWS), exists=True
    )
    return render_fragment(request, "discovery/run_dialog.html", values)


@staff_view(VIEW_RUNS)
def run_live_fragment(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Render the head of an active run's page, or 204 if the page shows it already: one
    query then.

    When the run has ended, the whole page is loaded again. Raises Http404 for an
    unknown run.
    """
    revision = live.run_revision(run_id)
    if request.GET.get("revision") == revision:
        return HttpResponse(status=204)
    values = {
        **_head_values(_run_or_404(run_id)),
        "live": live.active_run_view(run_id),
        "revision": revision,
    }
    if not values["active"]:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render_fragment(
        request, "discovery/run_head.html", values, event=RUN_CHANGED
    )


@staff_view(VIEW_RUNS)
def body(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Render timeline, wallets, tokens and usage of an active run, after its head has
    changed. Raises Http404 for an unknown run.
    """
    run = _run_or_404(run_id)
    values = {**_head_values(run), **_body_values(request, run)}
    return render_fragment(request, "discovery/run_body.html", values)


@staff_view(VIEW_RUNS)
def early_buyers(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Render a page of the early buyers of a run, or of one token of it: all of them, or
    those that were rejected for one reason. Raises Http404 for an unknown run.
    """
    chosen = request.GET.get("rejection", "")
    mint = request.GET.get("mint", "")
    if not is_address(mint):
        mint = ""
    filters = EarlyBuyerFilterSet({**_buyer_filter(chosen), "mint": mint})
    fetch = partial(run_findings.early_buyers, run_id, filters.qs)
    try:
        page = fetch_page(page_number(request), ROWS, fetch)
    except Run.DoesNotExist:
        raise Http404 from None
    counts = buyer_counts.buyer_counts(run_id, mint)
    values = {
        "run_id": run_id,
        "buyers": page.rows,
        "page": page.number,
        "counts": counts.stored,
        "all_count": sum(counts.stored.values()),
        "seen_later": counts.seen_later(_REASON_OF_CHOICE.get(chosen, chosen)),
        "chosen": chosen,
        "mint": mint,
        "symbol": positions.symbols([mint]).get(mint, "") if mint else "",
        "query": urlencode({"rejection": chosen, "mint": mint}),
        "kept_days": settings.RECORDS.changes.days,
    }
    return render_fragment(request, "discovery/run/early_buyers.html", values)


_REASON_OF_CHOICE: Final[dict[str, str | None]] = {QUALIFIED: "", "": None}
"""Choice of the page → reason; the others are reasons."""


def _buyer_filter(chosen: str) -> dict[str, str]:
    if chosen == QUALIFIED:
        return {"qualified": "true"}
    return {"rejection": chosen}


@staff_view(START_RUNS, method="POST")
def cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Ask the run to end. On the Discovery page the run itself shows it, so no message
    is needed there. Raises Http404 for an unknown run.
    """
    is_on_home = request.POST.get("from") == "home"
    try:
        services.cancel_run(run_id, request.user.get_username())
    except Run.DoesNotExist:
        raise Http404 from None
    except services.WrongState as state:
        if not is_on_home:
            messages.warning(
                request, f"The run cannot be cancelled: it is {state.status}."
            )
        return _return_to(request, run_id)
    if not is_on_home:
        messages.success(
            request,
            "The run ends as soon as its steps have noticed; what it found is kept.",
        )
    return _return_to(request, run_id)


@staff_view(START_RUNS, method="POST")
def retry(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Start a new run with the parameters and tokens of one that has ended. Raises
    Http404 for an unknown run.
    """
    try:
        run = services.retry_run(
            run_id, trigger=Trigger.MANUAL, triggered_by=request.user.get_username()
        )
    except Run.DoesNotExist:
        raise Http404 from None
    except services.WrongState as state:
        messages.warning(request, f"The run cannot be retried: it is {state.status}.")
        return _return_to(request, run_id)
    except services.RunAlreadyActive as active:
        messages.warning(
            request, "Another run is active; this one can be retried when it has ended."
        )
        return _return_to(request, active.run_id)
    if services.is_enqueued(run):
        messages.success(request, "A new run with the same parameters is queued.")
    else:
        messages.warning(
            request, f"A new run with the same parameters is queued. {NOT_ENQUEUED}"
        )
    return _return_to(request, run.pk)


def _return_to(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Return to the page of the button: the Discovery page stays, a run's page opens
    the run.
    """
    if is_fragment(request) and request.POST.get("from") == "home":
        return HttpResponse(status=204, headers={"HX-Trigger": RUN_STARTED})
    return redirect_to(request, reverse("discovery:run", args=[run_id]))


def _run_or_404(run_id: uuid.UUID) -> runs.RunDetail:
    try:
        return runs.run_detail(run_id)
    except Run.DoesNotExist:
        raise Http404 from None


def _body_values(request: HttpRequest, run: runs.RunDetail) -> dict[str, Any]:
    run_id = run.id
    params: Any = run.params  # its type is built from the specs
    wallets = fetch_page(
        page_number(request),
        ROWS,
        partial(run_findings.run_wallets, run_id, exists=True),
    )
    creator_known = request.GET.get("creator_known", "")
    token_filters = RunTokenFilterSet({"creator_known": creator_known})
    tokens = fetch_page(
        page_number(request, "tokens"),
        ROWS,
        partial(run_findings.run_tokens, run_id, token_filters.qs, exists=True),
    )
    return {
        "timeline": timeline.timeline(run_id),
        "steps_kept_days": settings.RECORDS.steps.days,
        "tokens": tokens.rows,
        "cut_windows": cut_windows(tokens.rows.rows, params.early_window_minutes),
        "tokens_page": tokens.number,
        "creator_known": creator_known,
        "wallets": wallets.rows,
        "wallets_page": wallets.number,
    }


_ERRORS_TITLES: Final[dict[str, tuple[str, str]]] = {
    RunStatus.CANCELLED: ("Why it ended", "results found before are kept"),
    RunStatus.SKIPPED: ("Why it did not run", ""),
}
_DEFAULT_ERRORS_TITLE: Final = ("What went wrong", "the rest of the run is complete")
_NOTHING_FOUND: Final[dict[str, str]] = {
    RunStatus.CANCELLED: "None was found before it was cancelled.",
    RunStatus.SKIPPED: "The slot was skipped: nothing was searched.",
    RunStatus.FAILED: "None was found before it failed.",
}


def _head_values(run: runs.RunDetail) -> dict[str, Any]:
    params = msgspec.structs.asdict(run.params)
    return {
        "run": run,
        "active": run.is_active,
        "retryable": not run.is_active and run.status != RunStatus.SKIPPED,
        "errors_title": _ERRORS_TITLES.get(run.status, _DEFAULT_ERRORS_TITLE),
        "nothing_found": _NOTHING_FOUND.get(run.status, ""),
        "params": [(spec, params[name]) for name, spec in NUMBER_SPECS.items()],
        "funnel": _funnel_bars(run.funnel),
        "calls": sum(usage.calls for usage in run.usage.values()),
    }


class FunnelBar(msgspec.Struct, frozen=True):
    """An entry of the funnel. width_pct: of the longest bar. opens: the choice of the
    list of early buyers that shows those it counts, None if they are not stored.
    """

    name: str
    count: int
    width_pct: int
    opens: str | None


def _funnel_bars(funnel: dict[str, int]) -> list[FunnelBar]:
    """Return a bar for each entry of the funnel, in the order of the filters."""
    entries = ordered_funnel(funnel)
    longest = max((count for _, count in entries), default=1)
    return [
        FunnelBar(
            name=name,
            count=count,
            width_pct=max(1, round(100 * count / max(1, longest))),
            opens=buyer_counts.opened_by(name) if count else None,
        )
        for name, count in entries
    ]
