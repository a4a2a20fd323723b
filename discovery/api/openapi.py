"""The description of the API: OpenAPI 3.1, built once a process, and its page without an outside request."""

from functools import cache
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from discovery.api.auth import KeyAuthentication, SessionAuthentication
from discovery.api.problems import PROBLEM_JSON

CLOSED: Final = ("Params", "ConfigReplace", "PatchedConfigChange", "PatchedWalletChange")
"""Bodies of requests."""


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the package registers it by being defined
    """An API key."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """As OpenAPI names it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, made in the admin or by `manage.py create_api_key`. Scopes: read, run, admin.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the admin pages."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """As OpenAPI names it. The cookie's name has INSTANCE_NAME before it; the description is one for all."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "walltrack_session",
            "description": "A login of the admin pages; changes need the header `X-CSRFToken`.",
        }


def without_trailing_slashes(endpoints: list[Any], **_: Any) -> list[Any]:
    """Each path is served with and without a slash at its end and described once."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def problems_as_such(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Each problem is described once, every answer carries the id of its request, no body takes unknown fields."""
    said = {"schema": {"type": "string"}, "description": "Stands in the log lines of this request."}
    components = result["components"]
    shared = components.setdefault("responses", {})
    for path in result["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                response.setdefault("headers", {})["X-Request-ID"] = said
                if PROBLEM_JSON in response["content"]:
                    shared[f"Problem{status}"] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}
    components["responses"] = dict(sorted(shared.items()))
    for name in CLOSED:
        components["schemas"][name]["additionalProperties"] = False
    return result


@cache
def description() -> dict[str, Any]:
    """The whole description, the same for everybody."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


class SchemaView(SpectacularAPIView):
    """The description as JSON, or as YAML where `Accept` asks for application/vnd.oai.openapi."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]

    def _get_schema_response(self, request: Request) -> Response:
        return Response(description())


class DocsView(SpectacularSwaggerSplitView):
    """The description as a page; its script comes from this server, apart from the page."""

    url_name = "api:schema"
