"""Beat's intervals, in the theme. Discovery has slots of its own: other kinds of schedule are hidden."""

from django.contrib import admin
from django_celery_beat.admin import PeriodicTaskAdmin, PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)


class _TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]  # the packages ship no types
    """The theme's list of tasks."""


class _TaskForm(PeriodicTaskForm):  # type: ignore[misc]
    """The package's form with the theme's fields."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
        if "regtask" in self.fields:
            self.fields["regtask"].widget = _TaskWidget()


@admin.register(PeriodicTask)
class IntervalTaskAdmin(PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """What beat sends, how often; a pause or another interval stays as it is set here."""

    form = _TaskForm


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):  # type: ignore[misc]
    """So many seconds apart."""
