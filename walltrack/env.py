"""Typed readers of the environment. A bad value refuses to start and names the variable, the problem and an example.

Secrets may come from a file: `NAME_FILE` is read where `NAME` is not set. A secret's value never stands in a message.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_PLACEHOLDERS = ("changeme", "change-me", "your-", "your_", "<", "xxx", "todo", "placeholder", "django-insecure")
_DEFAULTS = frozenset({"password", "postgres", "secret", "admin"})


def is_placeholder(value: str) -> bool:
    """Whether a secret is one that everybody knows: a word of an example, or a default."""
    return value.lower().startswith(_PLACEHOLDERS) or value.lower() in _DEFAULTS


class Env:
    """Reads one mapping, by default the process environment."""

    def __init__(self, values: Mapping[str, str] = os.environ) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding blanks; `default` where unset or empty."""
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """true/false, yes/no, on/off, 1/0."""
        raw = self.text(name)
        if not raw:
            return default
        if raw.lower() in _TRUE:
            return True
        if raw.lower() in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name}: {raw!r} is neither true nor false. Example: {name}=true")

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {raw!r} is not a whole number. Example: {name}={default}") from None
        if not least <= value <= most:
            raise ImproperlyConfigured(f"{name}: {value} is not between {least} and {most}. Example: {name}={default}")
        return value

    def choice(self, name: str, default: str, options: tuple[str, ...]) -> str:
        """One of a few words."""
        raw = self.text(name, default).lower()
        if raw not in options:
            raise ImproperlyConfigured(f"{name}: {raw!r} is none of {', '.join(options)}. Example: {name}={default}")
        return raw

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list without blanks and empty entries."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def url(self, name: str, default: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str:
        """An absolute URL without a trailing slash. Its value is not repeated: it may carry a password."""
        raw = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(raw)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in schemes or not (parts.netloc or parts.path or parts.query):
            raise ImproperlyConfigured(
                f"{name}: not a URL with one of the schemes {', '.join(schemes)}. Example: {name}={default}"
            )
        return raw

    def secret(self, name: str, default: str = "") -> str:
        """A secret from the variable or from the file that `NAME_FILE` names; a placeholder counts as none."""
        value = self.text(name)
        path = self.text(f"{name}_FILE")
        if not value and path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read ({error.strerror})") from None
        return default if is_placeholder(value) else value or default
