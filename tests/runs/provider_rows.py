"""Rows of providers in the database."""

from typing import Any

from django.db import OperationalError

from discovery.models import Provider


def row(name: str) -> Provider:
    return Provider.objects.get(pk=name)


def fail_to_store(*_: Any) -> None:
    raise OperationalError("server closed the connection unexpectedly")
