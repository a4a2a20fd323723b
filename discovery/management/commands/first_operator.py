"""`manage.py first_operator`: create the first login from the environment when the web
server starts.
"""

from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from walltrack.env import Env

BY_HAND: Final = "docker compose exec walltrack-app python manage.py createsuperuser"


class Command(BaseCommand):
    """Runs once: if anybody has a login, even a disabled one, nothing is created and
    nothing changes.
    """

    help = (
        "Make the first login from ADMIN_USERNAME and ADMIN_PASSWORD (or ADMIN_PASSWORD_FILE), where there is no login "
        "yet. Exit codes: 0 made, there already or not asked for; 1 refused, with the reason."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it. Raises CommandError for a name or a password that cannot be used."""
        with transaction.atomic(), connection.cursor() as cursor:
            # Several web containers may start at once: one creates it, the others wait
            # and find it.
            cursor.execute(
                f'LOCK TABLE "{User._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE'
            )
            if User.objects.exists():
                return
            user = _user_from_environment()
            if user is None:
                self.stdout.write(
                    f"Nobody has a login yet. Set ADMIN_USERNAME and ADMIN_PASSWORD, or run: {BY_HAND}"
                )
                return
            user.save()
            user.groups.add(*Group.objects.filter(name="operator"))
        self.stdout.write(f"The first operator is {user.username}.")


def _user_from_environment() -> User | None:
    """Return the user that the environment describes, or None if it describes none."""
    try:
        name, password = Env().text("ADMIN_USERNAME"), Env().secret("ADMIN_PASSWORD")
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    if not name and not password:
        return None
    if not name:
        raise CommandError(
            "ADMIN_PASSWORD: set without ADMIN_USERNAME. Example: ADMIN_USERNAME=operator"
        )
    if not password:
        raise CommandError(
            "ADMIN_USERNAME: set without ADMIN_PASSWORD, or with a placeholder for one"
        )
    # A superuser: somebody must be able to create API keys and users.
    user = User(username=name, is_staff=True, is_superuser=True)
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise CommandError(f"ADMIN_USERNAME: {' '.join(error.messages)}") from None
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"ADMIN_PASSWORD: {' '.join(error.messages)}") from None
    return user
