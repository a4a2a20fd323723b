"""Statistics, the report of the forward record, the scheduler and the tokens that pass the filters now."""

from collections.abc import Mapping
from typing import Final

from django import forms
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api.schema import responses
from discovery.api.serializers import (
    PumpsSerializer,
    ReportSerializer,
    SchedulerSerializer,
    StatsSerializer,
)
from discovery.api.views.base import ApiView
from discovery.domain.judgements import HORIZON_HOURS
from discovery.reads import pumps, report, scheduler, stats
from discovery.reads.filters import RunRangeFilterSet
from walltrack import clock

TAGS: Final = ["overview"]


class StatsView(ApiView):
    """Statistics of runs."""

    filterset_class = RunRangeFilterSet

    @extend_schema(
        operation_id="get_stats",
        summary="Totals, rates and series over a range of time",
        tags=TAGS,
        responses=responses(200, StatsSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return the figures of the range."""
        figures = stats.stats(self.filterset.time_range)
        return Response(StatsSerializer(figures).data)


class HorizonForm(forms.Form):
    """The horizon of the report."""

    horizon = forms.ChoiceField(
        choices=[(str(hours), str(hours)) for hours in HORIZON_HOURS],
        required=False,
        error_messages={
            "invalid_choice": f"one of {', '.join(map(str, HORIZON_HOURS))}"
        },
    )


class ReportView(ApiView):
    """Whether following the found wallets pays."""

    def query_forms(self, params: Mapping[str, str]) -> list[forms.Form]:
        """Return the form of the horizon."""
        self.form = HorizonForm(params)
        return [self.form]

    @extend_schema(
        operation_id="get_report",
        summary="What following the found wallets brought, against control wallets",
        description=(
            "Growth is in stakes a trade: 0.05 = 5 % of the stake. A figure that is not known yet is null; `missing` "
            "and `outlook` say what is missing and in about how many days it will be there."
        ),
        tags=TAGS,
        parameters=[
            OpenApiParameter(
                "horizon",
                int,
                enum=HORIZON_HOURS,
                default=report.DEFAULT_HORIZON_HOURS,
                description="Hours after a judgement at which its tokens were measured.",
            )
        ],
        responses=responses(200, ReportSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return the report of the horizon."""
        hours = int(self.form.cleaned_data["horizon"] or report.DEFAULT_HORIZON_HOURS)
        found = report.report(clock.now(), hours)
        return Response(ReportSerializer(found).data)


class StatusView(ApiView):
    """The scheduler."""

    @extend_schema(
        operation_id="get_status",
        summary="The schedule that is in force",
        tags=TAGS,
        responses=responses(200, SchedulerSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return the schedule, its reasons and the next run."""
        return Response(SchedulerSerializer(scheduler.scheduler_view()).data)


class CurrentPumpsView(ApiView):
    """The tokens that pass the filters now."""

    @extend_schema(
        operation_id="get_pumps",
        summary="Tokens that pass the filters now, from the last refresh by a worker",
        description="A worker refreshes a list that is older than a minute; read again while `refreshing` is true.",
        tags=TAGS,
        responses=responses(200, PumpsSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return the last list with its age. A stale list is requested again."""
        view = pumps.pumps_view()
        if view.stale:
            services.request_pumps()
            view = pumps.pumps_view()
        return Response(PumpsSerializer(view).data)
