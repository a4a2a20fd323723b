"""Typed readers of environment variables. An invalid value raises ImproperlyConfigured
with the name and an example.

A secret may come from a file: `NAME_FILE` is read if `NAME` is not set. No message
contains the value of a secret.
"""

import os
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
_PLACEHOLDERS = (
    "changeme",
    "change-me",
    "your-",
    "your_",
    "<",
    "xxx",
    "todo",
    "placeholder",
    "django-insecure",
)
_WELL_KNOWN = frozenset({"password", "postgres", "secret", "admin"})


def is_placeholder(value: str) -> bool:
    """Return True if the secret is one that everybody knows: a word of an example, or a
    default.
    """
    lowered = value.lower()
    return lowered in _WELL_KNOWN or lowered.startswith(_PLACEHOLDERS)


class Env:
    """Reads one mapping, by default the environment of this process."""

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """Return the value without surrounding blanks, or `default` if it is unset or
        empty.
        """
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return the value of true/false, yes/no, on/off or 1/0, in any case; `default`
        if it is unset or empty. Raises ImproperlyConfigured.
        """
        text = self.text(name, str(default))
        value = _FLAGS.get(text.lower())
        if value is None:
            raise ImproperlyConfigured(
                f"{name}: {text!r} is neither true nor false. Example: {name}=true"
            )
        return value

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """Return a whole number between `minimum` and `maximum`, both included;
        `default` if it is unset or empty. Raises ImproperlyConfigured.
        """
        text = self.text(name, str(default))
        example = f"Example: {name}={default}"
        try:
            value = int(text)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}: {text!r} is not a whole number. {example}"
            ) from None
        if not minimum <= value <= maximum:
            raise ImproperlyConfigured(
                f"{name}: {value} is not between {minimum} and {maximum}. {example}"
            )
        return value

    def decimal(
        self, name: str, default: str, *, minimum: str, maximum: str
    ) -> Decimal:
        """Return a decimal number between `minimum` and `maximum`, both included;
        `default` if it is unset or empty. Raises ImproperlyConfigured.
        """
        text = self.text(name, default)
        example = f"Example: {name}={default}"
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite():
            raise ImproperlyConfigured(f"{name}: {text!r} is not a number. {example}")
        if not Decimal(minimum) <= value <= Decimal(maximum):
            raise ImproperlyConfigured(
                f"{name}: {value} is not between {minimum} and {maximum}. {example}"
            )
        return value

    def choice(self, name: str, default: str, options: tuple[str, ...]) -> str:
        """Return one of `options`, in lower case; `default` if it is unset or empty.
        Raises ImproperlyConfigured.
        """
        value = self.text(name, default).lower()
        if value not in options:
            raise ImproperlyConfigured(
                f"{name}: {value!r} is none of {', '.join(options)}. Example: {name}={default}"
            )
        return value

    def comma_separated(self, name: str, default: str = "") -> list[str]:
        """Return the entries of a comma-separated list, without blanks and empty
        entries.
        """
        entries = map(str.strip, self.text(name, default).split(","))
        return list(filter(None, entries))

    def url(
        self, name: str, default: str, *, schemes: tuple[str, ...] = ("http", "https")
    ) -> str:
        """Return an absolute URL without a trailing slash; `default` if it is unset or
        empty. Raises ImproperlyConfigured.
        """
        value = self.text(name, default).rstrip("/")
        if not _is_url(value, schemes):
            # Without the value, which may contain a password.
            raise ImproperlyConfigured(
                f"{name}: not a URL with one of the schemes {', '.join(schemes)}. Example: {name}={default}"
            )
        return value

    def secret(self, name: str, default: str = "") -> str:
        """Return the secret of the variable or of the file that `NAME_FILE` names;
        `default` for a placeholder and without a secret. Raises ImproperlyConfigured if
        the file cannot be read.
        """
        value = self.text(name) or self._read_secret_file(f"{name}_FILE")
        if not value or is_placeholder(value):
            return default
        return value

    def _read_secret_file(self, name: str) -> str:
        path = self.text(name)
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}: {path} cannot be read ({error.strerror})"
            ) from None


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for an invalid port
    except ValueError:
        return False
    has_target = any((parts.netloc, parts.path, parts.query))
    return parts.scheme in schemes and has_target
