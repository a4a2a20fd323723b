"""Django's settings of the connection to PostgreSQL."""

from typing import Any, Final

import dj_database_url

# Time limits, so that a stuck query or an abandoned transaction ends by itself.
_TIME_LIMITS: Final = (
    "-c statement_timeout=60s",
    "-c lock_timeout=20s",
    "-c idle_in_transaction_session_timeout=60s",
)
_CONNECT_TIMEOUT_SECONDS: Final = 5
_MAX_AGE_SECONDS: Final = 60


def connection(url: str, schema: str) -> dict[str, Any]:
    """Return the entry of `DATABASES` for a URL. Options of the URL are kept.

    schema: where the tables are; the search path of every connection.
    """
    parsed: dict[str, Any] = dict(
        dj_database_url.parse(
            url, conn_max_age=_MAX_AGE_SECONDS, conn_health_checks=True
        )
    )
    options: dict[str, Any] = dict(parsed.get("OPTIONS") or {})
    given = str(options.get("options", ""))
    flags = [given, f"-c search_path={schema}", *_TIME_LIMITS]
    options["options"] = " ".join(flags).lstrip()
    options.setdefault("connect_timeout", _CONNECT_TIMEOUT_SECONDS)
    return {**parsed, "ENGINE": "django.db.backends.postgresql", "OPTIONS": options}
