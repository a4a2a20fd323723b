"""The people who may log in; the login page needs it while a system is new."""

from django.contrib.auth import get_user_model


def has_operator() -> bool:
    """Return True if anybody can log in to the pages. One query."""
    return get_user_model()._default_manager.filter(is_staff=True, is_active=True).exists()
