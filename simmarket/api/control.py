"""/__sim__: health, counters, planned faults. Not part of any provider's wire."""

import json
import time

from simmarket.api.http_messages import Request, Response, json_response
from simmarket.api.market import Market


class Control:
    """The market's own paths."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/health":
            return json_response({"status": "ok"})
        if request.path == "/stats":
            return json_response(self._stats())
        if request.path == "/faults":
            return self._faults(request)
        return json_response({"error": "not found"}, 404)

    def _stats(self) -> dict[str, object]:
        market = self._market
        world = market.world
        file_end = world.file_end_seconds
        return {
            "world": world.name,
            "seed": world.seed,
            "shift_seconds": market.shift_seconds,
            "file_shift_seconds": None if file_end is None else market.shift_seconds - file_end,
            "started_at": market.started_at,
            "now": time.time(),
            "tokens": len(world.tokens),
            "wallets": len(world.wallets),
            "transactions": len(world.transactions),
            "dropped_rows": dict(world.dropped_rows),
            **market.stats.snapshot(),
        }

    def _faults(self, request: Request) -> Response:
        faults = self._market.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                problem = faults.plan(json.loads(request.body))
            except (ValueError, TypeError) as error:
                problem = str(error)
            if problem:
                return json_response({"error": problem}, 400)
        elif request.method != "GET":
            return json_response({"error": "GET, POST or DELETE"}, 405)
        return json_response({"faults": faults.left()})
