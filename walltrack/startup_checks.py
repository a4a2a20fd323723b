"""Settings that a server must not start with. walltrack/wsgi.py and the containers
check them first.

`python -m walltrack.startup_checks` exits with 1 and prints one line if a setting is
invalid or unsafe.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from walltrack.env import is_placeholder


def validate() -> None:
    """Raise ImproperlyConfigured for the first unsafe setting; the message names the
    variable and the remedy.
    """
    from django.conf import settings

    if settings.DEBUG:
        _validate_debug()
        return
    if not settings.SECRET_KEY_GIVEN:
        raise ImproperlyConfigured(
            "SECRET_KEY: not set, or a placeholder. Example: SECRET_KEY=$(openssl rand -hex 32). "
            "`python manage.py init_env` sets it and all other secrets"
        )
    if not {"*", "."}.isdisjoint(settings.ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS: '*' accepts any host name, so strangers can choose the host of links that WallTrack sends. "
            "Example: ALLOWED_HOSTS=walltrack.example"
        )
    _validate_database_password(settings.DATABASES["default"])


def _validate_debug() -> None:
    if "runserver" in sys.argv[1:2]:
        return
    raise ImproperlyConfigured(
        "DEBUG: true shows settings and tracebacks to everybody who reaches the server. Only `manage.py runserver` "
        "accepts it, for development. Example: DEBUG=false"
    )


def _validate_database_password(database: dict[str, object]) -> None:
    password = database["PASSWORD"]
    if not password:
        return
    if password == database["USER"] or is_placeholder(str(password)):
        raise ImproperlyConfigured(
            "DATABASE_URL: its password (POSTGRES_PASSWORD in containers) is a placeholder or equals the user name. "
            "Choose another and set it in the database too: ALTER ROLE … PASSWORD"
        )


def missing_proxy_warning() -> str:
    """Return a warning if PUBLIC_URL is https and no proxy is trusted, else ""."""
    from django.conf import settings

    if not settings.PUBLIC_URL.startswith("https://"):
        return ""
    if settings.TRUSTED_PROXY_COUNT:
        return ""
    return (
        "PUBLIC_URL is https and TRUSTED_PROXY_COUNT is 0: no proxy is trusted, so every page redirects to itself. "
        "Set TRUSTED_PROXY_COUNT to the number of proxies in front of WallTrack"
    )


def main() -> int:
    """Return the exit code: 0, or 1 with the reason on standard error if the server
    must not start.
    """
    try:
        validate()
    except ImproperlyConfigured as error:
        sys.stderr.write(f"WallTrack does not start. {error}\n")
        return 1
    warning = missing_proxy_warning()
    if warning:
        sys.stderr.write(f"WallTrack warns. {warning}\n")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")
    raise SystemExit(main())
