"""The market's own paths under /__sim__: health, counters, planned faults. No provider
has them.
"""

import json
import time
from typing import Any

from simmarket.api.clock import ClockError, ClockFile, finite_number
from simmarket.api.http_messages import Request, Response, json_response
from simmarket.api.market import Market


class Control:
    """Handles the market's own paths."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def handle(self, request: Request) -> Response:
        """Return the response to one request."""
        match request.path:
            case "/health":
                return json_response({"status": "ok"})
            case "/stats":
                return json_response(self._stats())
            case "/faults":
                return self._faults(request)
            case "/now":
                return self._now(request)
        return json_response({"error": "not found"}, 404)

    def _stats(self) -> dict[str, object]:
        market = self._market
        world = market.world
        return {
            "world": world.name,
            "seed": world.seed,
            "shift_seconds": market.shift_seconds,
            "file_shift_seconds": self._file_shift_seconds(),
            "started_at": market.started_at,
            "now": market.clock.now(),
            "tokens": len(world.tokens),
            "wallets": len(world.wallets),
            "transactions": len(world.transactions),
            "dropped_rows": dict(world.dropped_rows),
            **market.stats.snapshot(),
        }

    def _file_shift_seconds(self) -> int | None:
        """Return the difference between served times and those of the trades file, or
        None without a file.
        """
        file_end = self._market.world.file_end_seconds
        if file_end is None:
            return None
        return self._market.shift_seconds - file_end

    def _now(self, request: Request) -> Response:
        match request.method:
            case "GET":
                pass
            case "POST":
                clock = self._market.clock
                if not isinstance(clock, ClockFile):
                    text = "the market has no clock file: start it with --clock FILE"
                    return json_response({"error": text}, 409)
                try:
                    _move(clock, json.loads(request.body))
                except (ValueError, ClockError) as error:
                    return json_response({"error": str(error)}, 400)
                self._market.advance()
            case _:
                return json_response({"error": "GET or POST"}, 405)
        clock = self._market.clock
        return json_response(
            {"now": clock.now(), "real": time.time(), "speed": clock.speed}
        )

    def _faults(self, request: Request) -> Response:
        match request.method:
            case "GET":
                pass
            case "DELETE":
                self._market.faults.clear()
            case "POST":
                error = self._plan_fault(request.body)
                if error:
                    return json_response({"error": error}, 400)
            case _:
                return json_response({"error": "GET, POST or DELETE"}, 405)
        return json_response({"faults": self._market.faults.remaining()})

    def _plan_fault(self, body: bytes) -> str | None:
        """Return an error message for an invalid body, else None."""
        try:
            return self._market.faults.plan(json.loads(body))
        except (ValueError, TypeError) as error:
            return str(error)


def _move(clock: ClockFile, body: Any) -> None:
    """Move a clock as a request says. Raises ValueError for an invalid body, ClockError
    for a move that is refused.
    """
    keys = ("now", "advance_seconds", "speed")
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= set(keys):
        raise ValueError(f"an object with one of these keys: {', '.join(keys)}")
    (key,) = body
    number = finite_number(body, key)
    match key:
        case "now":
            clock.move_to(number)
        case "advance_seconds":
            clock.move_to(clock.now() + number)
        case _:
            clock.set_speed(number)
