"""The sections of the Discovery page that change the configuration: scheduler and
parameters.

Both save parts of one row. A section carries the version that it was rendered from, and
a save of an older version is a conflict. After a save, the other section of the page
carries on with the new version, if it was up to date before.
"""

from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from discovery import services
from discovery.admin.pages import forms
from discovery.admin.pages.access import (
    CHANGE_CONFIG,
    START_RUNS,
    VIEW_RUNS,
    VIEW_WALLETS,
    render_fragment,
    staff_view,
)
from discovery.admin.pages.forms import ParamsForm
from discovery.domain.display import parse_whole_number
from discovery.domain.run_params import Params
from discovery.models.enums import Trigger
from discovery.reads import config, live, scheduler, what_if
from walltrack import clock

CONFIG_CHANGED: Final = "configuration-changed"
RUN_STARTED: Final = "run-started"
WHAT_IF_WALLETS: Final = 25
NOT_ENQUEUED: Final = "The queue of work is unreachable; it starts when that is back."


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a save or a start, shown at the top of its section.

    done: what happened. problem: why nothing happened, with a link to what is in the
    way and the values that conflict.
    """

    done: str = ""
    problem: str = ""
    link: str = ""
    conflicting: tuple[str, ...] = ()


# --- Scheduler ------------------------------------------------------------------------


@staff_view(CHANGE_CONFIG, method="POST")
def save_schedule(request: HttpRequest) -> HttpResponse:
    """Save the switch and the hours. The next run moves at once."""
    saved = config.config_view()
    hours = posted_number(request, "schedule_hours")
    if hours not in forms.SCHEDULE_HOURS:
        typed = request.POST.get("schedule_hours", "")[:20] or "Nothing"
        return _scheduler_problem(
            request, saved, f"{typed} is not a whole number of 1 to 24 hours."
        )
    if posted_number(request, "schedule_version") != saved.version:
        return _scheduler_problem(request, saved, _conflict_text(saved))
    changes = {"enabled": request.POST.get("enabled") == "on", "schedule_hours": hours}
    try:
        services.save_config(
            changes, version=saved.version, by=request.user.get_username()
        )
    except services.StaleVersion:
        current = config.config_view()
        return _scheduler_problem(request, current, _conflict_text(current))
    values = schedule_values(config.config_view())
    values["notice"] = Notice(done="Saved.")
    values["other_version"] = _version_for_other(
        request, "params_version", saved, values["config"]
    )
    return render_fragment(
        request, "discovery/scheduler.html", values, event=CONFIG_CHANGED
    )


def _scheduler_problem(
    request: HttpRequest, saved: config.ConfigView, problem: str
) -> HttpResponse:
    values = schedule_values(saved) | {"notice": Notice(problem=problem)}
    return render_fragment(request, "discovery/scheduler.html", values)


def schedule_values(
    saved: config.ConfigView, view: live.LiveView | None = None
) -> dict[str, Any]:
    """Return what the section shows: the schedule in force, the saved values and the
    choice of hours.
    """
    active = None if view is None else view.active
    now = clock.now()
    return {
        "scheduler": scheduler.schedule_at(
            enabled=saved.enabled,
            hours=saved.schedule_hours,
            next_run_at=saved.next_run_at,
            updated_by=saved.updated_by,
            last_run=saved.last_run_at,
            running=None if active is None else str(active.id),
            now=now,
        ),
        "config": saved,
        "hours": forms.SCHEDULE_HOURS,
        "usual_hours": forms.USUAL_SCHEDULE_HOURS,
        "now": now,
    }


# --- Parameters -----------------------------------------------------------------------


@staff_view(CHANGE_CONFIG, method="POST")
def save_params(request: HttpRequest) -> HttpResponse:
    """Save the parameters. In a conflict nothing is lost: the section shows both
    versions.
    """
    saved = config.config_view()
    form = ParamsForm(request.POST, saved=saved_params(saved))
    if not form.is_valid():
        notice = Notice(problem="Nothing was saved: some values are not allowed.")
        return _render_params(request, form, saved, notice)
    if posted_number(request, "params_version") != saved.version:
        return _params_conflict(request, form, saved)
    changes = form.changes()
    try:
        services.save_config(
            changes, version=saved.version, by=request.user.get_username()
        )
    except services.StaleVersion:
        current = config.config_view()
        form = ParamsForm(request.POST, saved=saved_params(current))
        form.is_valid()  # it was, over the row before; now it knows what differs from the current row
        return _params_conflict(request, form, current)
    current = config.config_view()
    done = (
        "Saved; used from the next run."
        if changes
        else "Nothing differs from what is saved."
    )
    values = _params_values(
        ParamsForm(saved=saved_params(current)), current, Notice(done=done)
    )
    values["version"] = current.version
    values["other_version"] = _version_for_other(
        request, "schedule_version", saved, current
    )
    return render_fragment(
        request, "discovery/params.html", values, event=CONFIG_CHANGED
    )


def _params_conflict(
    request: HttpRequest, form: ParamsForm, current: config.ConfigView
) -> HttpResponse:
    cause, _, _ = _conflict_text(current).partition(";")
    notice = Notice(
        problem=f"{cause}. Your values are still here and not saved.",
        conflicting=tuple(forms.describe_changes(form.changes(), form.saved)),
    )
    values = _params_values(form, current, notice)
    # A person who has seen the conflict may save over it: the form carries the version
    # it was compared with.
    values["version"] = current.version
    return render_fragment(request, "discovery/params.html", values)


@staff_view(VIEW_RUNS, VIEW_WALLETS, method="POST")
def try_params(request: HttpRequest) -> HttpResponse:
    """Render which wallets of the last runs the values on the form would add or remove.
    Saves nothing.
    """
    saved = config.stored_params()
    form = ParamsForm(request.POST, saved=saved)
    if not form.is_valid():
        problems = [
            f"{form.fields[name].label}: {error}"
            for name, errors in form.errors.items()
            for error in errors
        ]
        return render_fragment(
            request, "discovery/what_if.html", {"problems": problems}
        )
    runs = posted_number(request, "what_if_runs")
    if not 1 <= runs <= what_if.MAX_RUNS:
        runs = what_if.DEFAULT_RUNS
    values = {
        "found": what_if.what_if(form.params, saved=saved, runs=runs),
        "changes": forms.describe_changes(form.changes(), saved),
        "max_wallets": WHAT_IF_WALLETS,
    }
    return render_fragment(request, "discovery/what_if.html", values)


@staff_view(START_RUNS, method="POST")
def start(request: HttpRequest) -> HttpResponse:
    """Start a run with the values on the form, saved or not. Values that differ from
    the saved ones are named.
    """
    saved = config.config_view()
    form = ParamsForm(request.POST, saved=saved_params(saved))
    if not form.is_valid():
        notice = Notice(problem="The run was not started: some values are not allowed.")
        return _render_params(request, form, saved, notice)
    changes = form.changes()
    try:
        run = services.start_run(
            changes, trigger=Trigger.MANUAL, triggered_by=request.user.get_username()
        )
    except services.RunAlreadyActive as active:
        link = reverse("discovery:run", args=[active.run_id])
        return _render_params(
            request, form, saved, Notice(problem="Another run is active.", link=link)
        )
    done = _started_text(forms.describe_changes(changes, form.saved))
    if not services.is_enqueued(run):
        done = f"{done} {NOT_ENQUEUED}"
    return _render_params(request, form, saved, Notice(done=done), event=RUN_STARTED)


def _started_text(differences: list[str]) -> str:
    if not differences:
        return "Started with the saved parameters."
    return f"Started with {'; '.join(differences)}."


def _render_params(
    request: HttpRequest,
    form: ParamsForm,
    saved: config.ConfigView,
    notice: Notice,
    *,
    event: str = "",
) -> HttpResponse:
    values = _params_values(form, saved, notice)
    values["version"] = posted_number(request, "params_version") or saved.version
    return render_fragment(request, "discovery/params.html", values, event=event)


def _params_values(
    form: ParamsForm, saved: config.ConfigView, notice: Notice
) -> dict[str, Any]:
    return {"form": form, "config": saved, "notice": notice}


# --- Both -----------------------------------------------------------------------------


def saved_params(saved: config.ConfigView) -> Params:
    """Return the parameters of the configuration."""
    return Params(**msgspec.structs.asdict(saved.params))


def posted_number(request: HttpRequest, name: str) -> int:
    """Return a small whole number of the form, or 0 if it is none."""
    return parse_whole_number(request.POST.get(name, "")) or 0


def _version_for_other(
    request: HttpRequest,
    field: str,
    before: config.ConfigView,
    after: config.ConfigView,
) -> int | None:
    """Return the version with which the other section of the page goes on, or None if
    it is out of date.
    """
    is_up_to_date = posted_number(request, field) == before.version
    return after.version if is_up_to_date else None


def _conflict_text(current: config.ConfigView) -> str:
    author = current.updated_by or "somebody"
    return f"{author} changed the configuration meanwhile (version {current.version}); this shows it as it is now."
