"""What the GET providers share: routes, unknown paths and parameters, limits, faults, number forms."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction

from simmarket.api.faults import ITEM, WHOLE, spoil
from simmarket.api.http_messages import Request, Response
from simmarket.api.limits import Rule
from simmarket.api.market import Market
from simmarket.chain.figures import PoolFigures, deepest, pool_figures
from simmarket.chain.world import Pool, Token

_FRESH_SECONDS = 15


@dataclass(slots=True, frozen=True)
class Asked:
    """A matched request: the path's parts, the query, and the item fault that applies to it (or None)."""

    parts: tuple[str, ...]
    query: dict[str, str]
    fault: str | None


@dataclass(slots=True, frozen=True)
class Route:
    """A path pattern with its name for the counters, its answer, and the query keys it knows."""

    name: str
    pattern: re.Pattern[str]
    answer: Callable[[Asked], Response]
    keys: frozenset[str]


def route(name: str, answer: Callable[[Asked], Response], keys: str = "") -> Route:
    """A route from a template such as `/tokens/{addresses}`."""
    pattern = re.compile(re.sub(r"\{[a-z]+\}", "([^/]+)", name) + "$")
    return Route(name, pattern, answer, frozenset(keys.split()))


@dataclass(eq=False)
class Refused(Exception):
    """A request the provider answers with its own error; `not_understood` ones are counted as unhandled."""

    response: Response
    not_understood: str | None = None


class RestDoor:
    """One GET provider."""

    def __init__(
        self,
        market: Market,
        provider: str,
        routes: list[Route],
        not_found: Callable[[], Response],
        bad_request: Callable[[str], Response],
        too_many: Callable[[float | None], Response],
    ) -> None:
        self._market = market
        self._provider = provider
        self._routes = routes
        self._not_found = not_found
        self._bad_request = bad_request
        self._too_many = too_many

    def answer(self, request: Request) -> Response:
        """One HTTP exchange."""
        stats, provider = self._market.stats, self._provider
        names = [request.path.lstrip("/"), request.path]
        rule = self._market.limits.refused(provider, names[:1])
        if rule is not None:
            stats.limited[provider] += 1
            return self._too_many(self._pause(rule))
        fault = self._market.faults.take(provider, names, WHOLE)
        if fault is not None:
            stats.failed[provider] += 1
            if fault.kind.startswith("429"):
                return self._too_many(fault.seconds if fault.kind == "429" else None)
        response = self._matched(request, names)
        return spoil(fault, response) if fault is not None else response

    def _matched(self, request: Request, names: list[str]) -> Response:
        stats, provider = self._market.stats, self._provider
        if request.method != "GET":
            stats.not_understood(provider, f"{request.method} {request.path}")
            return self._not_found()
        for known in self._routes:
            match = known.pattern.match(request.path)
            if match is None:
                continue
            stats.serve(provider, known.name)
            if strange := set(request.query) - known.keys:
                stats.not_understood(provider, f"{request.path}: parameter {', '.join(sorted(strange))}")
                return self._bad_request(f"unknown parameter {', '.join(sorted(strange))}")
            item = self._market.faults.take(provider, names, ITEM)
            if item is not None:
                stats.failed[provider] += 1
            try:
                return known.answer(Asked(match.groups(), request.query, item.kind if item else None))
            except Refused as refusal:
                if refusal.not_understood is not None:
                    stats.not_understood(provider, f"{request.path}: {refusal.not_understood}")
                return refusal.response
        stats.not_understood(provider, f"GET {request.path}")
        return self._not_found()

    def _pause(self, rule: Rule) -> float:
        return rule.seconds if self._market.limits.documented else 1


class FigureBook:
    """Pool figures, kept for a few seconds."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._kept: dict[int, tuple[int, PoolFigures]] = {}

    def of(self, pool: Pool) -> PoolFigures:
        """Figures of a pool now."""
        tick = self.market.now() // _FRESH_SECONDS
        kept = self._kept.get(pool.account)
        if kept is None or kept[0] != tick:
            kept = tick, pool_figures(self.market.world, pool, self.market.now())
            self._kept[pool.account] = kept
        return kept[1]

    def main(self, token: Token) -> tuple[Pool, PoolFigures]:
        """The pool that speaks for a token now."""
        return deepest([(pool, self.of(pool)) for pool in token.pools])


def number_text(value: Fraction, digits: int = 12) -> str:
    """A positional decimal string with so many significant digits."""
    shown = Context(prec=digits).divide(Decimal(value.numerator), Decimal(value.denominator))
    text = format(shown, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Fraction, places: int = 2) -> float | int:
    """A JSON number rounded to so many places; whole values as integers, as the providers write them."""
    rounded = round(value, places)
    return int(rounded) if rounded.denominator == 1 else float(rounded)


def significant(value: Fraction, digits: int = 12) -> float:
    """A JSON number with so many significant digits."""
    return float(number_text(value, digits))


def iso(unix_seconds: int) -> str:
    """ISO-8601 in UTC with a Z."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_parameter(query: dict[str, str], key: str, default: int, most: int) -> int:
    """A positive integer parameter, capped; ValueError when it is none."""
    value = int(query.get(key, default))
    if value < 1:
        raise ValueError(f"{key} must be positive")
    return min(value, most)
