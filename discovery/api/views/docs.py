"""The description of the API, for programs and as a page that loads nothing from
outside.
"""

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from discovery.api.schema import description


class SchemaView(SpectacularAPIView):
    """The description as JSON, or as YAML if `Accept` is application/vnd.oai.openapi."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]

    def _get_schema_response(self, request: Request) -> Response:
        return Response(description())


class DocsView(SpectacularSwaggerSplitView):
    """The description as a page. Its script is a response of its own, so that the page
    needs no inline script.
    """

    url_name = "api:schema"
