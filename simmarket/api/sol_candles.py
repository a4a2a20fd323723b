"""Candles of the deep SOL/USDC pool: the second source of SOL/USD."""

from simmarket.api.market import Market

SOL_USDC_POOL = "Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE"
WRAPPED_SOL = "So11111111111111111111111111111111111111112"
_STEPS_MINUTES = {"minute": 1, "hour": 60}
_MAX_CANDLES = 1000
Row = list[float | int]


def sol_candles(market: Market, timeframe: str, query: dict[str, str]) -> list[Row]:
    """Return [[open time s, open, high, low, close, volume USD], ...], newest first; the
    newest may be open.

    Raises ValueError for invalid parameters.
    """
    minutes = _STEPS_MINUTES.get(timeframe)
    is_plain = query.get("aggregate", "1") == "1"
    if minutes is None or not is_plain or query.get("currency", "usd") != "usd":
        raise ValueError("only minute and hour candles in USD exist here")
    if query.get("token", "base") not in {"base", WRAPPED_SOL}:
        raise ValueError("SOL is the base token")
    limit = min(int(query.get("limit", "100")), _MAX_CANDLES)
    now = market.unix(market.now())
    before = min(int(query.get("before_timestamp", now + 1)), now + 1)
    step = minutes * 60
    newest = -(-before // step) - 1
    return [
        _row(market, open_second, minutes)
        for open_second in range(newest * step, (newest - limit) * step, -step)
    ]


def _row(market: Market, open_second: int, minutes: int) -> Row:
    first_minute = (open_second - market.shift_seconds) // 60
    price = market.world.price
    end = min(first_minute + minutes, market.now() // 60)
    closes = [price.close_cents(minute) for minute in range(first_minute - 1, end)]
    ohlc = (closes[0], max(closes), min(closes), closes[-1])
    return [open_second, *(cents / 100 for cents in ohlc), 250_000.5]
