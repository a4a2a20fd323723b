"""`manage.py create_api_key`: an API key from the terminal."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction
from django.utils import timezone

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey
from discovery.models.enums import ApiScope

MAX_DAYS = 3650


class Command(BaseCommand):
    """Creates a key and prints it once."""

    help = (
        "Create an API key. Standard output holds the key alone, once: only a hash of it is stored. "
        "Exit codes: 0 created, 1 refused, 2 bad option."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add name, scope and lifetime."""
        parser.add_argument(
            "name", help="who or what uses it; shown as the author of runs and changes"
        )
        parser.add_argument(
            "--scope",
            choices=ApiScope.values,
            default=ApiScope.READ,
            help="what it may do; default: read",
        )
        parser.add_argument(
            "--days",
            type=int,
            metavar="N",
            help=f"valid so long, 1–{MAX_DAYS} days; default: for ever",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it. Raises CommandError for a name that is taken and for days out of
        bounds.
        """
        name, days = options["name"].strip(), options["days"]
        if not 1 <= len(name) <= 100 or not name.isprintable():
            raise CommandError("name: 1 to 100 printable characters", returncode=2)
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(
                f"--days: {days} is not between 1 and {MAX_DAYS}", returncode=2
            )
        key = new_key()
        expires = None if days is None else timezone.now() + timedelta(days=days)
        try:
            with transaction.atomic():
                ApiKey.objects.create(
                    name=name,
                    prefix=key.prefix,
                    secret_hash=key.secret_hash,
                    scope=options["scope"],
                    expires_at=expires,
                    created_by="create_api_key",
                )
        except IntegrityError:
            raise CommandError(
                f"there is a key named {name!r} already; revoked keys keep their names"
            ) from None
        self.stderr.write(
            f"The key of {name}, scope {options['scope']}. It is not shown again."
        )
        self.stdout.write(key.text)
