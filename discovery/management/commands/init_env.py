"""`manage.py init_env`: write the settings of a new installation, with its own secrets."""

import os
import re
import secrets
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

EXAMPLE: Final = ".env.example"


def fresh_values() -> dict[str, str]:
    """Return the secrets of one installation: only letters, digits, - and _, for URLs
    and compose files.
    """
    return {
        "SECRET_KEY": secrets.token_hex(32),
        "POSTGRES_PASSWORD": secrets.token_hex(32),
        "ADMIN_USERNAME": "operator",
        "ADMIN_PASSWORD": secrets.token_urlsafe(15),
    }


class Command(BaseCommand):
    """Needs no database, no secret and no other setting: it runs before they exist."""

    help = (
        "Write .env from .env.example with random secrets, readable by you alone. Exit codes: 0 written, 1 refused "
        "(there is one already: --force replaces it)."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder, and whether an existing file is replaced."""
        parser.add_argument(
            "--folder",
            type=Path,
            default=Path(settings.BASE_DIR),
            help="where .env is written; default: the checkout",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="replace an existing .env; a database that was created with its password keeps that password",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file. Raises CommandError if it exists already or cannot be
        written.
        """
        path = options["folder"] / ".env"
        text = (Path(settings.BASE_DIR) / EXAMPLE).read_text(encoding="utf-8")
        for name, value in fresh_values().items():
            text, found = re.subn(
                rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE
            )
            if found != 1:
                raise CommandError(f"{EXAMPLE} names {name} {found} times, not once")
        try:
            _write(path, text, replace=options["force"])
        except FileExistsError:
            raise CommandError(
                f"{path} exists already and is not changed; --force replaces it"
            ) from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from None
        self.stdout.write(
            f"{path} is written. The first login is its ADMIN_USERNAME with its ADMIN_PASSWORD."
        )


def _write(path: Path, text: str, *, replace: bool) -> None:
    """Write the whole file or nothing, readable by its owner alone. Raises
    FileExistsError unless `replace`.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}") if replace else path
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write(text)
        if replace:
            part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
