"""The parameters of a run. Each is declared once, in `Params`, with a `ParamSpec` that
says everything else about it.

Form, command line, serializer, API documentation, database columns and bounds are built
from the specs: a new parameter is a new field of `Params`, a migration, and the code
that reads it.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec

from discovery.domain.flags import DEFAULT_EXCLUDED_FLAGS, FLAG_NAMES

MAX_DIGITS: Final = 15

ParamKind = Literal["decimal", "integer", "switch", "flags"]


class ParamSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one parameter.

    label, help: words for operators. unit: "" where a number has none. min, max: bounds
    of a number, both allowed. places: digits after the point, 0 for whole numbers.
    max_digits: digits of its database column. is_optional: null is a value ("no
    limit"). is_null_allowed: its column of the configuration may hold null, as in rows
    of the earlier system.
    """

    label: str
    help: str
    kind: ParamKind
    unit: str = ""
    min: Decimal = Decimal(0)
    max: Decimal = Decimal(0)
    places: int = 0
    max_digits: int = 0
    is_optional: bool = False
    is_null_allowed: bool = True
    name: str = ""
    default: Any = None

    @property
    def is_number(self) -> bool:
        """A decimal or whole number with bounds."""
        return self.kind in {"decimal", "integer"}

    @property
    def option(self) -> str:
        """Name of its command line option."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def bounds(self) -> str:
        """The bounds in words, without the unit."""
        return f"{self.min:,f}–{self.max:,f}"

    def check(self, value: Any) -> Any:
        """Return `value` as the type of the parameter.

        Numbers may be numbers or their text. None is a value of an optional whole
        number only. A number with more digits than its column keeps is refused, not rounded.
        Raises ValueError with plain words.
        """
        match self.kind:
            case "switch":
                return _checked_switch(value)
            case "flags":
                return _checked_flags(value)
            case "integer":
                return self._checked_integer(value)
            case "decimal":
                return self._checked_decimal(value)

    def _checked_integer(self, value: Any) -> int | None:
        """Return a whole number, or None for an optional parameter without a value."""
        if value is None and self.is_optional:
            return None
        number = self._number_in_bounds(value)
        if number != number.to_integral_value():
            raise ValueError(f"{plain_number(number)} is not a whole number")
        return int(number)

    def _checked_decimal(self, value: Any) -> Decimal:
        """Return a number with exactly `places` digits after the point."""
        number = self._number_in_bounds(value)
        rounded = number.quantize(
            Decimal(1).scaleb(-self.places), rounding=ROUND_HALF_EVEN
        )
        if rounded != number:
            raise ValueError(
                f"{plain_number(number)} has more than {self.places} digits after the point"
            )
        return rounded

    def _number_in_bounds(self, value: Any) -> Decimal:
        """Return a finite number. Raises ValueError for anything out of bounds."""
        number = _parsed_number(value)
        is_in_bounds = number.is_finite() and self.min <= number <= self.max
        if is_in_bounds:
            return number
        lower, upper = plain_number(self.min), plain_number(self.max)
        bounds = f"{lower} and {upper} {self.unit}".rstrip()
        raise ValueError(f"{plain_number(number)} is not between {bounds}")


class Params(msgspec.Struct, frozen=True):
    """The parameters that one run uses. Percentages in percent, money in USD."""

    min_price_change_pct: Annotated[
        Decimal,
        ParamSpec(
            label="Minimum price change",
            help="Minimum price change over 24 h.",
            kind="decimal",
            unit="%",
            max=Decimal("999.99"),  # the column is numeric(5,2)
            places=2,
            max_digits=5,
        ),
    ] = Decimal(100)
    min_volume_usd: Annotated[
        Decimal,
        ParamSpec(
            label="Minimum volume",
            help="Minimum trading volume over 24 h.",
            kind="decimal",
            unit="USD",
            max=Decimal("9999999999999.99"),
            places=2,
            max_digits=15,
        ),
    ] = Decimal(50_000)
    min_liquidity_usd: Annotated[
        Decimal,
        ParamSpec(
            label="Minimum liquidity",
            help="Minimum liquidity: the price change of a thin pool means nothing.",
            kind="decimal",
            unit="USD",
            max=Decimal("9999999999999.99"),
            places=2,
            max_digits=15,
            is_null_allowed=False,
        ),
    ] = Decimal(10_000)
    max_token_age_hours: Annotated[
        int,
        ParamSpec(
            label="Maximum token age",
            help="Maximum time since the launch of the token.",
            kind="integer",
            unit="h",
            min=Decimal(1),
            max=Decimal(168),
        ),
    ] = 72
    early_window_minutes: Annotated[
        int,
        ParamSpec(
            label="Early window",
            help="A first purchase this soon after the launch is early.",
            kind="integer",
            unit="min",
            min=Decimal(5),
            max=Decimal(120),
        ),
    ] = 30
    max_early_buyers: Annotated[
        int,
        ParamSpec(
            label="Maximum early buyers",
            help="Read the early window of a token until it has so many early buyers.",
            kind="integer",
            unit="wallets",
            min=Decimal(20),
            max=Decimal(2_000),
            is_null_allowed=False,
        ),
    ] = 150
    min_profit_pct: Annotated[
        Decimal,
        ParamSpec(
            label="Minimum profit",
            help="Minimum profit of the first holding of the token, in percent of everything put into it.",
            kind="decimal",
            unit="%",
            max=Decimal(500),
            places=2,
            max_digits=5,
        ),
    ] = Decimal(50)
    min_cost_sol: Annotated[
        Decimal,
        ParamSpec(
            label="Minimum cost",
            help="Minimum SOL put into the token, fees included: gains on dust mean nothing.",
            kind="decimal",
            unit="SOL",
            max=Decimal(1_000),
            places=3,
            max_digits=7,
        ),
    ] = Decimal("0.05")
    max_tokens: Annotated[
        int,
        ParamSpec(
            label="Maximum tokens",
            help="Maximum number of tokens to analyse, most promising first.",
            kind="integer",
            unit="tokens",
            min=Decimal(1),
            max=Decimal(100),
        ),
    ] = 20
    max_requests_per_run: Annotated[
        int | None,
        ParamSpec(
            label="Maximum provider calls",
            help="Maximum number of provider calls; the run ends cleanly there. Empty: no limit.",
            kind="integer",
            unit="calls",
            min=Decimal(100),
            max=Decimal(10_000_000),
            is_optional=True,
        ),
    ] = None
    profile_immediately: Annotated[
        bool,
        ParamSpec(
            label="Profile wallets within the run",
            help="Profile the wallets that the run finds. Off: they have no score until they are profiled.",
            kind="switch",
        ),
    ] = True
    control_wallets: Annotated[
        int,
        ParamSpec(
            label="Control wallets",
            help="Early buyers without enough profit, followed for comparison. 0: no proof that following pays.",
            kind="integer",
            unit="wallets",
            max=Decimal(25),
            is_null_allowed=False,
        ),
    ] = 25
    excluded_flags: Annotated[
        tuple[str, ...],
        ParamSpec(
            label="Flags that exclude",
            help="An early buyer with one of these flags does not qualify.",
            kind="flags",
            is_null_allowed=False,
        ),
    ] = DEFAULT_EXCLUDED_FLAGS


def _declared_specs() -> dict[str, ParamSpec]:
    """Return the specs with the name and the default of their field."""
    defaults = msgspec.structs.asdict(Params())
    specs: dict[str, ParamSpec] = {}
    for name, annotation in get_type_hints(Params, include_extras=True).items():
        (spec,) = annotation.__metadata__
        specs[name] = msgspec.structs.replace(spec, name=name, default=defaults[name])
    return specs


PARAM_SPECS: Final[dict[str, ParamSpec]] = _declared_specs()
"""Every parameter by name, in the order of forms and documents."""
PARAM_TYPES: Final[dict[str, Any]] = get_type_hints(Params)
"""The type of each parameter, such as `int | None`."""
NUMBER_SPECS: Final[dict[str, ParamSpec]] = {
    name: spec for name, spec in PARAM_SPECS.items() if spec.is_number
}
"""The parameters that are numbers, in the same order."""


class InvalidParams(ValueError):
    """Values out of bounds, of a wrong type or with an unknown name. `problems`: name →
    what is wrong, in words.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(
            "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        )
        self.problems = dict(problems)


def check_params(values: Mapping[str, Any], base: Params | None = None) -> Params:
    """Return `base` (None: the defaults) with `values` over it.

    Raises InvalidParams that names every bad value with its bound, and every unknown
    name.
    """
    problems: dict[str, str] = {}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        spec = PARAM_SPECS.get(name)
        if spec is None:
            problems[name] = "no such parameter"
            continue
        try:
            checked[name] = spec.check(value)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise InvalidParams(problems)
    return msgspec.structs.replace(base or Params(), **checked)


def plain_number(number: Decimal) -> str:
    """Return the number in words: thousands apart, no trailing zeros. One beyond 15
    digits, or none at all (NaN, infinity), is written as Decimal writes it, cut to 40
    characters.
    """
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        return str(number)[:40]  # written out it could fill the memory
    whole, point, decimals = f"{number:,f}".partition(".")
    return whole + (point + decimals).rstrip("0.")


def _parsed_number(value: Any) -> Decimal:
    """Return a number or its text as a decimal, NaN and infinity included. Raises
    ValueError for anything else, booleans too.
    """
    is_number = isinstance(value, int | float | str | Decimal)
    if not is_number or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from None


def _checked_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004  callers collect ValueError
    return value


def _checked_flags(value: Any) -> tuple[str, ...]:
    """Return the names. Raises ValueError if `value` is no list of text.

    Names are not compared with FLAG_NAMES here: a stored configuration may hold a name
    of another version.
    """
    is_list = isinstance(value, list | tuple)
    if not is_list or not all(isinstance(name, str) for name in value):
        raise ValueError(f"not a list of flags: {', '.join(FLAG_NAMES)}")
    return tuple(value)
