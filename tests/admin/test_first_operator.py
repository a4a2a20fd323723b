"""The first login: made once out of the environment, never touched again."""

import threading
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from discovery.reads.operators import has_operator

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADMIN_USERNAME", "ADMIN_PASSWORD", "ADMIN_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)


def first_operator(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = StringIO()
    call_command("first_operator", stdout=out)
    return out.getvalue().strip()


def logs_in(client: Client) -> bool:
    """Whether the login page lets the first operator in."""
    return (
        client.post(
            "/admin/login/", {"username": "ana", "password": PASSWORD}
        ).status_code
        == 302
    )


@pytest.mark.django_db
def test_the_environment_makes_an_operator_who_can_log_in_and_make_keys(
    client, monkeypatch, groups
) -> None:
    said = first_operator(monkeypatch, ADMIN_USERNAME="ana", ADMIN_PASSWORD=PASSWORD)
    assert said == "The first operator is ana."
    user = User.objects.get()
    assert (user.is_staff, [group.name for group in user.groups.all()]) == (
        True,
        ["operator"],
    )
    assert user.has_perm("discovery.add_apikey")
    assert logs_in(client)


@pytest.mark.django_db
def test_the_password_may_come_from_a_file(client, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    first_operator(
        monkeypatch,
        ADMIN_USERNAME="ana",
        ADMIN_PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert logs_in(client)


@pytest.mark.django_db
def test_a_later_start_changes_nothing_whatever_the_environment_says(
    client, monkeypatch
) -> None:
    first_operator(monkeypatch, ADMIN_USERNAME="ana", ADMIN_PASSWORD=PASSWORD)
    assert (
        first_operator(
            monkeypatch, ADMIN_USERNAME="ben", ADMIN_PASSWORD="another-good-password"
        )
        == ""
    )
    assert (
        first_operator(monkeypatch, ADMIN_USERNAME="ana", ADMIN_PASSWORD="short") == ""
    )
    assert [user.username for user in User.objects.all()] == ["ana"]
    assert logs_in(client)


@pytest.mark.django_db
def test_an_operator_who_was_switched_off_does_not_come_back(monkeypatch) -> None:
    first_operator(monkeypatch, ADMIN_USERNAME="ana", ADMIN_PASSWORD=PASSWORD)
    User.objects.update(is_active=False)
    assert (
        first_operator(monkeypatch, ADMIN_USERNAME="ana", ADMIN_PASSWORD=PASSWORD) == ""
    )
    assert not has_operator()


@pytest.mark.django_db
def test_without_a_name_and_a_password_the_way_by_hand_is_told(monkeypatch) -> None:
    assert (
        "docker compose exec walltrack-app python manage.py createsuperuser"
        in first_operator(monkeypatch)
    )
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("", PASSWORD, "ADMIN_PASSWORD: set without ADMIN_USERNAME"),
        ("ana", "", "ADMIN_USERNAME: set without ADMIN_PASSWORD"),
        (
            "ana",
            "changeme-please",
            "ADMIN_USERNAME: set without ADMIN_PASSWORD, or with a placeholder",
        ),
        ("ana", "short", "ADMIN_PASSWORD: This password is too short"),
        ("ana", "1q2w3e4r5t6y", "ADMIN_PASSWORD: This password is too common"),
        ("ana maria", PASSWORD, "ADMIN_USERNAME: Enter a valid username"),
    ],
)
def test_what_cannot_be_used_is_named_and_nobody_is_made(
    monkeypatch, name: str, password: str, words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        first_operator(monkeypatch, ADMIN_USERNAME=name, ADMIN_PASSWORD=password)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_there_is_an_operator_once_somebody_of_the_staff_can_log_in() -> None:
    assert not has_operator()
    User.objects.create_user("guest", password=PASSWORD)
    assert not has_operator()
    User.objects.create_user("ana", password=PASSWORD, is_staff=True)
    assert has_operator()


@pytest.mark.django_db(transaction=True)
def test_web_containers_that_start_together_make_one_operator(monkeypatch) -> None:
    monkeypatch.setenv("ADMIN_USERNAME", "ana")
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    together = threading.Barrier(4)
    failures: list[Exception] = []

    def start() -> None:
        try:
            together.wait(timeout=10)
            call_command("first_operator", stdout=StringIO())
        except Exception as error:  # noqa: BLE001  told by the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    assert User.objects.count() == 1
