"""The form of a response: JSON, or CSV and NDJSON for lists."""

from collections.abc import Iterable
from typing import Any, Final

from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MAX_QUOTED_LENGTH: Final = 40


class FormatNegotiation(DefaultContentNegotiation):
    """The query parameter `format` takes precedence over `Accept`."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and its media type. Raises NotAcceptable, or
        ValidationError for an unknown `format`.
        """
        available = list(renderers)
        name = request.query_params.get("format")
        if name is None or len(available) == 1:
            selected: tuple[Any, str] = super().select_renderer(
                request, available, format_suffix
            )
            return selected
        by_format = {str(renderer.format): renderer for renderer in available}
        renderer = by_format.get(name)
        if renderer is None:
            raise ValidationError(
                {
                    "format": f"{name[:MAX_QUOTED_LENGTH]!r} is none of {', '.join(by_format)}"
                }
            )
        return renderer, str(renderer.media_type)
