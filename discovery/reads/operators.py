"""Who can operate: asked by the login page of a system that nobody can log in to yet."""

from django.contrib.auth import get_user_model


def any_operator() -> bool:
    """Whether anybody can log in to the pages. One query."""
    return get_user_model()._default_manager.filter(is_staff=True, is_active=True).exists()
