"""Statistics, the scheduler and the tokens that pump now."""

from typing import Final

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api.filters import RangeQuery
from discovery.api.schema import plain, serializer_of
from discovery.api.views.base import ApiView, responses
from discovery.reads import pumps, scheduler, stats

TAG: Final = ["overview"]


class StatsView(ApiView):
    """What runs came to."""

    query_class = RangeQuery

    @extend_schema(
        operation_id="get_stats",
        summary="Totals, rates and series over a range of time",
        tags=TAG,
        parameters=[RangeQuery],
        responses=responses(200, serializer_of(stats.Stats)),
    )
    def get(self, request: Request) -> Response:
        """The figures of the range."""
        return Response(plain(stats.stats(RangeQuery.range_of(self.params))))


class StatusView(ApiView):
    """The scheduler."""

    @extend_schema(
        operation_id="get_status",
        summary="The schedule as it stands",
        tags=TAG,
        responses=responses(200, serializer_of(scheduler.SchedulerView)),
    )
    def get(self, request: Request) -> Response:
        """What is in force and why, when the next run is due, how late it is."""
        return Response(plain(scheduler.scheduler_view()))


class PumpsView(ApiView):
    """The tokens that pass the filters now."""

    @extend_schema(
        operation_id="get_pumps",
        summary="Tokens that pass the filters now, as a worker last saw them",
        description="A list older than a minute is made anew by a worker; ask again while `refreshing`.",
        tags=TAG,
        responses=responses(200, serializer_of(pumps.PumpsView)),
    )
    def get(self, request: Request) -> Response:
        """The last list with its age."""
        view = pumps.pumps_view()
        if view.stale:
            services.request_pumps()
            view = pumps.pumps_view()
        return Response(plain(view))
