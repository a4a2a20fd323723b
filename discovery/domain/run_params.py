"""The parameters of a run and their bounds: one place for the page, the API, the command and the database."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final

import msgspec

MAX_DIGITS: Final = 15


class Bound(msgspec.Struct, frozen=True):
    """Least and most value of a parameter, both allowed. `places` = digits after the point, 0 for whole numbers."""

    least: Decimal
    most: Decimal
    places: int
    unit: str
    optional: bool = False


BOUNDS: Final[dict[str, Bound]] = {
    # 999.99 is what numeric(5,2) can hold.
    "min_price_change_pct": Bound(Decimal(0), Decimal("999.99"), 2, "%"),
    "min_volume_usd": Bound(Decimal(0), Decimal("9999999999999.99"), 2, "USD"),
    "min_liquidity_usd": Bound(Decimal(0), Decimal("9999999999999.99"), 2, "USD"),
    "max_token_age_hours": Bound(Decimal(1), Decimal(168), 0, "h"),
    "early_window_minutes": Bound(Decimal(5), Decimal(120), 0, "min"),
    "min_profit_pct": Bound(Decimal(0), Decimal(500), 2, "%"),
    "max_tokens": Bound(Decimal(1), Decimal(100), 0, "tokens"),
    "max_requests_per_run": Bound(Decimal(100), Decimal(10_000_000), 0, "calls", optional=True),
}


class InvalidParams(ValueError):
    """Parameters out of bounds. `problems` says by name what is wrong with each."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


class Params(msgspec.Struct, frozen=True):
    """What a run looks for. Percentages in percent, money in USD."""

    min_price_change_pct: Decimal = Decimal(100)
    min_volume_usd: Decimal = Decimal(50_000)
    min_liquidity_usd: Decimal = Decimal(10_000)
    max_token_age_hours: int = 72
    early_window_minutes: int = 30
    min_profit_pct: Decimal = Decimal(50)
    max_tokens: int = 20
    max_requests_per_run: int | None = None
    profile_immediately: bool = True
    excluded_flags: tuple[str, ...] = ("plumbing", "creator", "bundle", "arbitrage", "wash")


def check(values: Mapping[str, Any], base: Params | None = None) -> Params:
    """`base` with `values` over it. Raises InvalidParams naming every bad one with its bound, unknown names among them.

    Numbers may be numbers or their text. A value with more digits than are kept is refused, not rounded.
    """
    problems: dict[str, str] = {}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name == "profile_immediately":
            checked[name] = value
        elif name == "excluded_flags":
            checked[name] = tuple(value)
        elif name not in BOUNDS:
            problems[name] = "no such parameter"
        else:
            try:
                checked[name] = _checked(BOUNDS[name], value)
            except ValueError as error:
                problems[name] = str(error)
    if problems:
        raise InvalidParams(problems)
    return msgspec.structs.replace(base or Params(), **checked)


def _checked(bound: Bound, value: Any) -> Decimal | int | None:
    if value is None and bound.optional:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004  the caller collects ValueError
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from None
    if not number.is_finite() or not bound.least <= number <= bound.most:
        raise ValueError(f"{_plain(number)} is not between {_plain(bound.least)} and {_plain(bound.most)} {bound.unit}")
    if bound.places == 0:
        if number != number.to_integral_value():
            raise ValueError(f"{_plain(number)} is not a whole number")
        return int(number)
    rounded = number.quantize(Decimal(1).scaleb(-bound.places), rounding=ROUND_HALF_EVEN)
    if rounded != number:
        raise ValueError(f"{_plain(number)} has more than {bound.places} digits after the point")
    return rounded


def _plain(number: Decimal) -> str:
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        return str(number)[:40]  # written out it could fill the memory
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
