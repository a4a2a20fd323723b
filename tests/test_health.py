"""Probes."""

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_the_process_says_that_it_is_up_to_any_host_without_a_query(path: str, client: Client, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path, headers={"host": "whatever.example"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "pass"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
