"""The configuration: read with its version, changed only by whoever has read that version."""

import re
from typing import Any, ClassVar, Final

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api import serializers
from discovery.api.problems import Problem
from discovery.api.schema import plain, serializer_of
from discovery.api.views import base
from discovery.api.views.base import ApiView, responses
from discovery.domain.run_params import Params
from discovery.models.enums import ApiScope
from discovery.reads import config

_TAG: Final = r'(?:W/)?"[!#-~]*"'
_IF_MATCH_SHAPE: Final = rf"^(\*|{_TAG}(, *{_TAG})*)$"
_VERSIONS: Final = re.compile(r'"([0-9]{1,9})"')
_IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": _IF_MATCH_SHAPE},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the configuration that is being changed, or `*` for whatever is there.",
)
_ETAG: Final = base.header("ETag", "The version, for `If-Match`.", [200])
_EXAMPLE: Final = {"enabled": True, "schedule_hours": 4, "params": {"max_tokens": 10, "min_profit_pct": 75}}
TAG: Final = ["configuration"]


class ConfigView(ApiView):
    """The configuration."""

    scopes: ClassVar = {"PUT": ApiScope.ADMIN, "PATCH": ApiScope.ADMIN}

    @extend_schema(
        operation_id="get_config",
        summary="The configuration",
        tags=TAG,
        parameters=[_ETAG],
        responses=responses(200, serializer_of(config.ConfigView)),
    )
    def get(self, request: Request) -> Response:
        """What every run uses unless it is told otherwise."""
        return _answer()

    @extend_schema(
        operation_id="replace_config",
        summary="Replace the configuration",
        tags=TAG,
        parameters=[_IF_MATCH, _ETAG],
        request=serializers.ConfigReplaceSerializer,
        responses=responses(200, serializer_of(config.ConfigView), 412, 428, *base.WITH_BODY),
        examples=[OpenApiExample("Every 4 hours", _EXAMPLE, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """The configuration as it is now; 412 where somebody was quicker."""
        return self._save(request, whole=True)

    @extend_schema(
        operation_id="change_config",
        summary="Change parts of the configuration",
        tags=TAG,
        parameters=[_IF_MATCH, _ETAG],
        request=serializers.ConfigChangeSerializer,
        responses=responses(200, serializer_of(config.ConfigView), 412, 428, *base.WITH_BODY),
        examples=[OpenApiExample("Pause the schedule", {"enabled": False}, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        """The configuration as it is now; 412 where somebody was quicker."""
        return self._save(request, whole=False)

    def _save(self, request: Request, *, whole: bool) -> Response:
        defaults: dict[str, Any] = msgspec.structs.asdict(Params())
        changes = serializers.config_changes(request.data, whole=whole, defaults=defaults)
        version = _version(request, config.config_view().version)
        services.save_config(changes, version=version, by=self.caller.name)
        return _answer()


def _answer() -> Response:
    view = config.config_view()
    return Response(plain(view), headers={"ETag": f'"{view.version}"'})


def _version(request: Request, current: int) -> int:
    """The version that the caller has read. Raises Problem 428 without one, 400; StaleVersion."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        words = 'If-Match is missing: read the configuration and send its ETag, such as "3"'
        raise Problem(428, "precondition_required", words)
    if not re.fullmatch(_IF_MATCH_SHAPE, given):
        raise Problem(400, "invalid", "some values are not allowed", errors={"If-Match": "not an ETag"})
    if given != "*" and str(current) not in _VERSIONS.findall(given):
        raise services.StaleVersion(current)
    return current
