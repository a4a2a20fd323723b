"""The groups that a migration makes, for tests behind one that has emptied all tables."""

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection


def make_groups() -> None:
    """Where they are missing."""
    if not Group.objects.filter(name="viewer").exists():
        with connection.schema_editor() as editor:
            import_module("discovery.migrations.0005_groups").make_groups(apps, editor)
