"""What a server that others reach must not run with. Asked by walltrack/wsgi.py and by containers before all else.

`python -m walltrack.guards` exits 1 with one line where something is refused, a bad setting too.
"""

import sys

from django.core.exceptions import ImproperlyConfigured

from walltrack.env import is_placeholder


def refuse() -> None:
    """Raises ImproperlyConfigured for the first thing that is refused; the message names the variable and a remedy."""
    from django.conf import settings

    if settings.DEBUG:
        if "runserver" in sys.argv[1:2]:
            return
        raise ImproperlyConfigured(
            "DEBUG: true shows settings and tracebacks to whoever reaches the server; only `manage.py runserver` on a "
            "machine of your own takes it. Example: DEBUG=false"
        )
    if not settings.SECRET_KEY_GIVEN:
        raise ImproperlyConfigured(
            "SECRET_KEY: not set, or a placeholder. Example: SECRET_KEY=$(openssl rand -hex 32), or all of them at "
            "once: python manage.py init_env"
        )
    if any(host in {"*", "."} for host in settings.ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS: '*' answers to any name, which lets strangers choose the links that are sent out. "
            "Example: ALLOWED_HOSTS=walltrack.example"
        )
    database = settings.DATABASES["default"]
    password = str(database["PASSWORD"] or "")
    if password and (password == database["USER"] or is_placeholder(password)):
        raise ImproperlyConfigured(
            "DATABASE_URL: its password (POSTGRES_PASSWORD in containers) is a placeholder or the user's name. Choose "
            "another, in the database too: ALTER ROLE … PASSWORD"
        )


def https_without_proxy() -> str:
    """What is wrong with an https PUBLIC_URL where no proxy is believed; "" where nothing is."""
    from django.conf import settings

    if not settings.PUBLIC_URL.startswith("https://") or settings.TRUSTED_PROXY_COUNT:
        return ""
    return (
        "PUBLIC_URL is https and TRUSTED_PROXY_COUNT is 0: no proxy is believed, so every page is redirected to "
        "itself. Set it to how many proxies stand in front"
    )


def main() -> int:
    """Exit code: 0 nothing is refused, 1 with the reason on standard error."""
    try:
        refuse()
    except ImproperlyConfigured as error:
        print(f"WallTrack does not start. {error}", file=sys.stderr)  # noqa: T201  for whoever reads the container's log
        return 1
    if words := https_without_proxy():
        print(f"WallTrack warns. {words}", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walltrack.settings")
    raise SystemExit(main())
