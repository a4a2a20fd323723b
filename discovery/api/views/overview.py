"""Statistics, the scheduler and the tokens that pass the filters now."""

from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api.schema import responses
from discovery.api.serializers import (
    PumpsSerializer,
    SchedulerSerializer,
    StatsSerializer,
)
from discovery.api.views.base import ApiView
from discovery.reads import pumps, scheduler, stats
from discovery.reads.filters import RunRangeFilterSet

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
