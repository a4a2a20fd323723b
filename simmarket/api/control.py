"""The market's own paths under /__sim__: health, counters, planned faults. No provider
has them.
"""

import json
import time

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
            "now": time.time(),
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
