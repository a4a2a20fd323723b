"""Intervals of Celery beat. Other kinds of schedules are hidden: discovery runs have
their own slots.
"""

from django.contrib import admin
from django_celery_beat.admin import (
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    TaskSelectWidget,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for _model in (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
):
    admin.site.unregister(_model)


class _TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]  # the packages ship no types
    """The list of tasks with the theme's style."""


class _TaskForm(PeriodicTaskForm):  # type: ignore[misc]
    """The form of django-celery-beat with the theme's widgets."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
        if "regtask" in self.fields:
            self.fields["regtask"].widget = _TaskWidget()


@admin.register(PeriodicTask)
class IntervalTaskAdmin(PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """Periodic tasks. A restart keeps changes of the interval and of the switch."""

    form = _TaskForm


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):  # type: ignore[misc]
    """Intervals in seconds."""
