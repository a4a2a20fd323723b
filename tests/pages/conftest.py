"""People at the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client


class Person:
    """Somebody who is logged in, as a browser with htmx sends it."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)

    def page(self, path: str = "", **query: Any) -> Any:
        """A whole page below /admin/discovery/."""
        return self.client.get(f"/admin/discovery/{path}", query)

    def part(self, path: str, **query: Any) -> Any:
        """A fragment."""
        return self.client.get(
            f"/admin/discovery/{path}", query, headers={"HX-Request": "true"}
        )

    def send(self, path: str, **values: Any) -> Any:
        """A form."""
        return self.client.post(
            f"/admin/discovery/{path}", values, headers={"HX-Request": "true"}
        )


@pytest.fixture
def viewer(person: Callable[..., User], config: Any) -> Person:
    return Person(person("viewer", is_staff=True))


@pytest.fixture
def operator(person: Callable[..., User], config: Any) -> Person:
    return Person(person("operator", is_staff=True))
