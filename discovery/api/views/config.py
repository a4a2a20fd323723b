"""The configuration: read with its version, changed only on top of the version that was
read.
"""

import re
from typing import Any, ClassVar, Final

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import costs, services
from discovery.api.problems import Problem, invalid
from discovery.api.schema import BODY_PROBLEMS, response_header, responses
from discovery.api.serializers import (
    ConfigChangeSerializer,
    ConfigReplaceSerializer,
    ConfigSerializer,
    PlanRequestSerializer,
    PlanSerializer,
    WhatIfRequestSerializer,
    WhatIfSerializer,
)
from discovery.api.views.base import ApiView
from discovery.models.enums import ApiScope
from discovery.reads import config, what_if

TAGS: Final = ["configuration"]
_ETAG_SHAPE: Final = r'(?:W/)?"[!#-~]*"'
_IF_MATCH_SHAPE: Final = rf"^(\*|{_ETAG_SHAPE}(, *{_ETAG_SHAPE})*)$"
_VERSIONS: Final = re.compile(r'"([0-9]{1,9})"')
_IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": _IF_MATCH_SHAPE},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the configuration that is being changed, or `*` for any version.",
)
_ETAG: Final = response_header("ETag", "The version, for `If-Match`.", [200])
_EXAMPLE: Final = {
    "enabled": True,
    "schedule_hours": 4,
    "params": {"max_tokens": 10, "min_profit_pct": 75},
}


class ConfigurationView(ApiView):
    """The configuration."""

    scopes: ClassVar = {"PUT": ApiScope.ADMIN, "PATCH": ApiScope.ADMIN}

    @extend_schema(
        operation_id="get_config",
        summary="The configuration",
        tags=TAGS,
        parameters=[_ETAG],
        responses=responses(200, ConfigSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return the parameters that runs use by default, and the schedule."""
        return _config_response()

    @extend_schema(
        operation_id="replace_config",
        summary="Replace the configuration",
        tags=TAGS,
        parameters=[_IF_MATCH, _ETAG],
        request=ConfigReplaceSerializer,
        responses=responses(200, ConfigSerializer, 412, 428, *BODY_PROBLEMS),
        examples=[OpenApiExample("Every 4 hours", _EXAMPLE, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Return the new configuration; 412 if somebody else changed it meanwhile."""
        serializer = ConfigReplaceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self._save(serializer.changes)

    @extend_schema(
        operation_id="change_config",
        summary="Change parts of the configuration",
        tags=TAGS,
        parameters=[_IF_MATCH, _ETAG],
        request=ConfigChangeSerializer,
        responses=responses(200, ConfigSerializer, 412, 428, *BODY_PROBLEMS),
        examples=[
            OpenApiExample("Pause the schedule", {"enabled": False}, request_only=True)
        ],
    )
    def patch(self, request: Request) -> Response:
        """Return the new configuration; 412 if somebody else changed it meanwhile."""
        serializer = ConfigChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self._save(serializer.changes)

    def _save(self, changes: dict[str, Any]) -> Response:
        version = _matched_version(self.request, config.config_view().version)
        services.save_config(changes, version=version, by=self.caller.name)
        return _config_response()


class WhatIfView(ApiView):
    """A change of the configuration, tried out on the last runs."""

    @extend_schema(
        operation_id="try_config",
        summary="Which wallets of the last runs a change of the configuration would add or remove",
        description="Changes nothing and sends no request to a provider: the stored figures of the last runs are "
        "compared with the saved parameters and those of `params` over them. `notes` says what stored figures cannot "
        "tell, such as the early buyers of tokens that a looser filter would let in.",
        tags=TAGS,
        request=WhatIfRequestSerializer,
        responses=responses(200, WhatIfSerializer, *BODY_PROBLEMS),
        examples=[
            OpenApiExample(
                "More profit", {"params": {"min_profit_pct": 80}}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Return the wallets that would enter and leave."""
        serializer = WhatIfRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        saved = config.stored_params()
        params = msgspec.structs.replace(saved, **values.get("params", {}))
        found = what_if.what_if(params, saved=saved, runs=values["runs"])
        return Response(WhatIfSerializer(found).data)


class PlanView(ApiView):
    """The expected cost of a run and of a month."""

    @extend_schema(
        operation_id="plan_config",
        summary="What a run with these parameters, and a month of scheduled runs, are expected to use",
        description="Changes nothing and sends no request to a provider. The costs are those of the last completed "
        "runs of the same source, before the first run assumptions.",
        tags=TAGS,
        request=PlanRequestSerializer,
        responses=responses(200, PlanSerializer, *BODY_PROBLEMS),
        examples=[
            OpenApiExample(
                "Fewer tokens", {"params": {"max_tokens": 5}}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Return calls, credits and time of the run and of the month."""
        serializer = PlanRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        changes = serializer.validated_data.get("params", {})
        params = msgspec.structs.replace(config.stored_params(), **changes)
        return Response(PlanSerializer(costs.cost_plan(params)).data)


def _config_response() -> Response:
    view = config.config_view()
    return Response(ConfigSerializer(view).data, headers={"ETag": f'"{view.version}"'})


def _matched_version(request: Request, current: int) -> int:
    """Return `current` if If-Match names it. Raises Problem 428 without the header,
    400; StaleVersion.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        detail = (
            'If-Match is missing: read the configuration and send its ETag, such as "3"'
        )
        raise Problem(428, "precondition_required", detail)
    if not re.fullmatch(_IF_MATCH_SHAPE, given):
        raise invalid({"If-Match": "not an ETag"})
    if given != "*" and str(current) not in _VERSIONS.findall(given):
        raise services.StaleVersion(current)
    return current
