"""The parts that the providers with GET requests share: routes, unknown paths and
parameters, limits, faults.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from simmarket.api.faults import ITEM_KINDS, RESPONSE_KINDS, apply_fault
from simmarket.api.http_messages import Request, Response
from simmarket.api.limits import Rule
from simmarket.api.market import Market


@dataclass(slots=True, frozen=True)
class RestRequest:
    """A matched request: the variable parts of the path, the query, and the kind of
    item fault (or None).
    """

    parts: tuple[str, ...]
    query: dict[str, str]
    fault: str | None


@dataclass(slots=True, frozen=True)
class Route:
    """A path pattern with its name for the counters, its handler, and the query keys
    that it accepts.
    """

    name: str
    pattern: re.Pattern[str]
    handler: Callable[[RestRequest], Response]
    query_keys: frozenset[str]


def route(
    template: str, handler: Callable[[RestRequest], Response], query_keys: str = ""
) -> Route:
    """Return a route for a template such as `/tokens/{addresses}`; the query keys are
    separated by spaces.
    """
    pattern = re.compile(re.sub(r"\{[a-z]+\}", "([^/]+)", template) + "$")
    return Route(template, pattern, handler, frozenset(query_keys.split()))


@dataclass(eq=False)
class Refusal(Exception):
    """A request that the provider refuses with its own error; one with `unhandled` is
    counted as unhandled.
    """

    response: Response
    unhandled: str | None = None


@dataclass(slots=True, frozen=True)
class ErrorResponses:
    """A provider's error responses: unknown path, invalid request (message), rate limit
    (seconds to wait or None).
    """

    not_found: Callable[[], Response]
    bad_request: Callable[[str], Response]
    too_many: Callable[[float | None], Response]


class RestEndpoint:
    """One provider with GET requests."""

    def __init__(
        self, market: Market, provider: str, routes: list[Route], errors: ErrorResponses
    ) -> None:
        self._market = market
        self._provider = provider
        self._routes = routes
        self._errors = errors

    def handle(self, request: Request) -> Response:
        """Return the response to one request."""
        stats, provider = self._market.stats, self._provider
        relative_path = request.path.lstrip("/")
        rule = self._market.limits.exceeded_rule(provider, [relative_path])
        if rule is not None:
            stats.limited[provider] += 1
            return self._errors.too_many(self._retry_after_seconds(rule))
        names = [relative_path, request.path]
        fault = self._market.faults.take(provider, names, RESPONSE_KINDS)
        if fault is None:
            return self._route(request, names)
        stats.failed[provider] += 1
        if fault.is_rate_limit:
            return self._errors.too_many(fault.retry_after_seconds)
        return apply_fault(fault, self._route(request, names))

    def _route(self, request: Request, names: list[str]) -> Response:
        """Find the route of a request and return its response."""
        stats, provider = self._market.stats, self._provider
        if request.method != "GET":
            stats.add_unhandled(provider, f"{request.method} {request.path}")
            return self._errors.not_found()
        for route_ in self._routes:
            match = route_.pattern.match(request.path)
            if match is not None:
                stats.count_served(provider, route_.name)
                return self._call(route_, match.groups(), request, names)
        stats.add_unhandled(provider, f"GET {request.path}")
        return self._errors.not_found()

    def _call(
        self, route_: Route, parts: tuple[str, ...], request: Request, names: list[str]
    ) -> Response:
        stats, provider = self._market.stats, self._provider
        unknown_keys = sorted(set(request.query) - route_.query_keys)
        if unknown_keys:
            stats.add_unhandled(
                provider, f"{request.path}: parameter {', '.join(unknown_keys)}"
            )
            return self._errors.bad_request(
                f"unknown parameter {', '.join(unknown_keys)}"
            )
        fault = self._market.faults.take(provider, names, ITEM_KINDS)
        if fault is not None:
            stats.failed[provider] += 1
        try:
            return route_.handler(
                RestRequest(parts, request.query, fault.kind if fault else None)
            )
        except Refusal as refusal:
            if refusal.unhandled is not None:
                stats.add_unhandled(provider, f"{request.path}: {refusal.unhandled}")
            return refusal.response

    def _retry_after_seconds(self, rule: Rule) -> float:
        return rule.seconds if self._market.limits.are_documented else 1


def positive_integer(
    query: dict[str, str], key: str, default: int, maximum: int
) -> int:
    """Return a positive integer parameter, capped at `maximum`. Raises ValueError if it
    is not one.
    """
    value = int(query.get(key, default))
    if value < 1:
        raise ValueError(f"{key} must be positive")
    return min(value, maximum)
