"""The Discovery page: schedule, parameters, the run at work, pumps, figures, history."""

from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from discovery import services
from discovery.admin.pages import forms
from discovery.admin.pages.access import CHANGE_CONFIG, START_RUNS, VIEW_RUNS, render_fragment, render_page, staff_view
from discovery.admin.pages.forms import ParamsForm
from discovery.admin.pages.runs import NOT_ENQUEUED
from discovery.domain.run_params import Params
from discovery.models.enums import Trigger
from discovery.reads import config, health, live, pumps, scheduler

REFRESHED: Final = "configuration-changed"


@staff_view(VIEW_RUNS)
def home(request: HttpRequest) -> HttpResponse:
    """The whole page; figures and history come right after it, by themselves."""
    saved = config.config_view()
    view = live.live_view()
    values = {
        **_moving(view),
        **_schedule(saved, view),
        "form": ParamsForm(saved=_params(saved)),
        "config": saved,
        "pumps": pumps.pumps_view(),
    }
    return render_page(request, "discovery/home.html", "Discovery", values)


@staff_view(VIEW_RUNS)
def live_fragment(request: HttpRequest) -> HttpResponse:
    """What moves, 204 where the page shows it already: one query then."""
    shown = request.GET.get("revision", "")
    if shown and shown == live.revision():
        return HttpResponse(status=204)
    view = live.live_view()
    values = {**_moving(view), **_schedule(config.config_view(), view)}
    known = {request.GET.get(name, "") for name in ("params_version", "schedule_version")} - {""}
    values["stale"] = bool(known - {str(view.config_version)})
    was_active, last = bool(request.GET.get("active")), request.GET.get("last", "")
    # Figures and history are another part of the page: told whenever a run has begun or ended.
    moved = was_active != (view.active is not None) or (view.last is not None and last != str(view.last.id))
    headers = {"HX_Trigger": "run-ended"} if moved else {}
    return render_fragment(request, "discovery/live.html", values, **headers)


@staff_view(VIEW_RUNS)
def estimate(request: HttpRequest) -> HttpResponse:
    """What the parameters on the form would cost."""
    text = request.GET.get("max_tokens", "")
    tokens = int(text) if text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100 else None
    profiles = request.GET.get("profile_immediately") == "on"
    found = None if tokens is None else services.estimate_against_schedule(tokens, profiles=profiles)
    return render_fragment(request, "discovery/plan.html", {"plan": found})


@staff_view(CHANGE_CONFIG, method="POST")
def save_params(request: HttpRequest) -> HttpResponse:
    """Save the parameters; where another was quicker, nothing is lost: both are shown."""
    saved = config.config_view()
    form = ParamsForm(request.POST, saved=_params(saved))
    if not form.is_valid():
        return _form(request, form, saved, problem="Nothing was saved: some values are not allowed.")
    if _number(request, "params_version") != saved.version:
        return _form(request, form, saved, conflict=True)
    changes = form.changes()
    try:
        services.save_config(changes, version=saved.version, by=request.user.get_username())
    except services.StaleVersion:
        now = config.config_view()
        form = ParamsForm(request.POST, saved=_params(now))
        form.is_valid()  # as it was over the row before; now it tells what differs from this one
        return _form(request, form, now, conflict=True)
    now = config.config_view()
    describe_changes = "Saved; used from the next run." if changes else "Nothing differs from what is saved."
    other = _number(request, "schedule_version") == saved.version
    return _form(
        request, ParamsForm(saved=_params(now)), now, describe_changes=describe_changes, changed=True, other=other
    )


@staff_view(CHANGE_CONFIG, method="POST")
def save_schedule(request: HttpRequest) -> HttpResponse:
    """Save the switch and the hours; the next run moves at once."""
    saved = config.config_view()
    hours = _number(request, "schedule_hours")
    if hours not in forms.SCHEDULE_HOURS:
        text = request.POST.get("schedule_hours", "")[:20]
        return _scheduler(request, saved, problem=f"{text or 'Nothing'} is not a whole number of 1 to 24 hours.")
    if _number(request, "schedule_version") != saved.version:
        return _scheduler(request, saved, problem=_conflict(saved))
    changes = {"enabled": request.POST.get("enabled") == "on", "schedule_hours": hours}
    try:
        services.save_config(changes, version=saved.version, by=request.user.get_username())
    except services.StaleVersion:
        return _scheduler(request, config.config_view(), problem=_conflict(config.config_view()))
    other = _number(request, "params_version") == saved.version
    return _scheduler(request, config.config_view(), describe_changes="Saved.", changed=True, other=other)


@staff_view(START_RUNS, method="POST")
def start(request: HttpRequest) -> HttpResponse:
    """Start a run with the values on the form, saved or not; what differs from the saved ones is said."""
    saved = config.config_view()
    form = ParamsForm(request.POST, saved=_params(saved))
    if not form.is_valid():
        return _form(request, form, saved, problem="The run was not started: some values are not allowed.")
    changes = form.changes()
    try:
        run = services.start_run(changes, trigger=Trigger.MANUAL, triggered_by=request.user.get_username())
    except services.RunAlreadyActive as active:
        url = reverse("discovery:run", args=[active.run_id])
        return _form(request, form, saved, problem="Another run is active.", link=url)
    differs = forms.describe_changes(changes, form.saved)
    describe_changes = "Started" + (f" with {'; '.join(differs)}." if differs else " with the saved parameters.")
    if not services.is_enqueued(run):
        describe_changes += f" {NOT_ENQUEUED}"
    return _form(request, form, saved, describe_changes=describe_changes, started=True)


@staff_view(VIEW_RUNS)
def pumps_now(request: HttpRequest) -> HttpResponse:
    """The tokens that pump now, as last seen; a worker is asked where that is long ago."""
    view = pumps.pumps_view()
    asked = True
    if view.stale:
        asked = services.request_pumps()
        view = pumps.pumps_view()
    return render_fragment(request, "discovery/pumps.html", {"pumps": view, "queue_gone": not asked, "opened": True})


def _params(saved: config.ConfigView) -> Params:
    return Params(**msgspec.structs.asdict(saved.params))


def _number(request: HttpRequest, name: str) -> int:
    """A small whole number of the form; 0 where it is none."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _conflict(saved: config.ConfigView) -> str:
    who = saved.updated_by or "somebody"
    return f"{who} changed the configuration meanwhile (version {saved.version}); this shows it as it is now."


def _moving(view: live.LiveView) -> dict[str, Any]:
    now = timezone.now()
    troubles = [each for each in health.providers_seen() if each.is_circuit_open(now) or each.is_failing()]
    return {"live": view, "workers": view.workers, "troubles": troubles}


def _schedule(saved: config.ConfigView, view: live.LiveView | None = None) -> dict[str, Any]:
    now = timezone.now()
    found = scheduler.schedule_of(
        enabled=saved.enabled,
        hours=saved.schedule_hours,
        next_run_at=saved.next_run_at,
        updated_by=saved.updated_by,
        last_run=saved.last_run_at,
        running=str(view.active.id) if view is not None and view.active is not None else None,
        now=now,
    )
    return {
        "scheduler": found,
        "config": saved,
        "hours": forms.SCHEDULE_HOURS,
        "usual_hours": forms.USUAL_SCHEDULE_HOURS,
        "now": now,
    }


def _scheduler(
    request: HttpRequest, saved: config.ConfigView, *, changed: bool = False, other: bool = False, **words: str
) -> HttpResponse:
    """The section. other: the parameters on the page were of the version this change was made over, and still are."""
    headers = {"HX_Trigger": REFRESHED} if changed else {}
    values: dict[str, Any] = {**_schedule(saved), **words, "other_version": saved.version if other else None}
    return render_fragment(request, "discovery/scheduler.html", values, **headers)


def _form(
    request: HttpRequest,
    form: ParamsForm,
    saved: config.ConfigView,
    *,
    conflict: bool = False,
    changed: bool = False,
    started: bool = False,
    other: bool = False,
    **words: str,
) -> HttpResponse:
    """The section. other: as of `_scheduler`, of the schedule."""
    values: dict[str, Any] = {"form": form, "config": saved, **words}
    if conflict:
        others = forms.describe_changes(form.changes(), form.saved)
        values["problem"] = f"{_conflict(saved).split(';')[0]}. Your values are still here and not saved."
        values["others"] = others
    # Whoever has seen the conflict may save over it: the form carries the version it was compared with.
    values["version"] = saved.version if conflict or changed else _number(request, "params_version") or saved.version
    values["other_version"] = saved.version if other else None
    headers = {"HX_Trigger": "run-started" if started else REFRESHED} if started or changed else {}
    return render_fragment(request, "discovery/params.html", values, **headers)
