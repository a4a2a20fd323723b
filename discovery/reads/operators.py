"""Users who may log in to the pages."""

from django.contrib.auth import get_user_model


def has_operator() -> bool:
    """Return True if an active staff user exists. One query."""
    return (
        get_user_model()._default_manager.filter(is_staff=True, is_active=True).exists()
    )
