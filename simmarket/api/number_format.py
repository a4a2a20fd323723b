"""Numbers and times as the providers write them."""

from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction


def number_text(value: Fraction, digits: int = 12) -> str:
    """Return a positional decimal string with so many significant digits."""
    quotient = Context(prec=digits).divide(
        Decimal(value.numerator), Decimal(value.denominator)
    )
    text = format(quotient, "f")
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def number(value: Fraction, places: int = 2) -> float | int:
    """Return a JSON number rounded to so many places; whole values are integers, as the
    providers write them.
    """
    rounded = round(value, places)
    return int(rounded) if rounded.denominator == 1 else float(rounded)


def significant(value: Fraction, digits: int = 12) -> float:
    """Return a JSON number with so many significant digits."""
    return float(number_text(value, digits))


def iso(unix_seconds: int) -> str:
    """Return ISO-8601 in UTC with a Z."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
