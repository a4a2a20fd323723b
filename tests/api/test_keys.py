"""API keys: created in the admin and by the command, shown once, revoked, never
changed.
"""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from discovery.domain.api_keys import matches, new_key, prefix_of
from discovery.models import ApiKey
from tests.api.client import Api

LIST = "admin:discovery_apikey_changelist"
ADD = "admin:discovery_apikey_add"
KEY = re.compile(r"wt_[0-9a-f]{8}_[0-9a-f]{48}")


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser("ana", password="a long enough password")
    )
    return client


def create_key(*args: str) -> tuple[str, str]:
    """Return the output of the command: the key, and the words for its caller."""
    out, err = io.StringIO(), io.StringIO()
    call_command("create_api_key", *args, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_keys_are_unique_and_match_only_their_own_hash() -> None:
    one, other = new_key(), new_key()
    assert one.text != other.text
    assert matches(one.text, one.secret_hash)
    assert not matches(other.text, one.secret_hash)


@pytest.mark.parametrize(
    "text",
    ["", "wt_", "wt_12345678_", "Wt_12345678_" + "a" * 48, "wt_12345678_" + "A" * 48],
)
def test_malformed_keys_have_no_prefix(text: str) -> None:
    assert prefix_of(text) is None
    assert not matches(text, "")


@pytest.mark.django_db
def test_the_command_prints_the_key_alone_and_the_key_works() -> None:
    key, words = create_key("robot", "--scope", "run")
    assert KEY.fullmatch(key)
    assert key not in words
    assert Api(Client(), key).post("run").status_code == 202


@pytest.mark.django_db
def test_a_key_has_the_scope_read_by_default() -> None:
    key, _ = create_key("robot")
    assert Api(Client(), key).post("run").status_code == 403


@pytest.mark.django_db
def test_a_key_expires_after_its_days() -> None:
    create_key("robot", "--days", "2")
    left = ApiKey.objects.get().expires_at - timezone.now()
    assert timedelta(days=1, hours=23) < left <= timedelta(days=2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["robot"], 1),
        ([""], 2),
        (["x" * 101], 2),
        (["a\nb"], 2),
        (["other", "--days", "0"], 2),
    ],
)
def test_a_taken_name_and_invalid_options_are_refused(
    args: list[str], code: int
) -> None:
    create_key("robot")
    with pytest.raises(CommandError) as refused:
        create_key(*args)
    assert refused.value.returncode == code
    assert ApiKey.objects.count() == 1


def test_the_admin_shows_a_new_key_exactly_once(admin: Client) -> None:
    page = admin.post(
        reverse(ADD), {"name": "robot", "scope": "read"}, follow=True
    ).content.decode()
    (key,) = set(KEY.findall(page))
    assert Api(Client(), key).get("runs").status_code == 200
    assert not KEY.search(admin.get(reverse(LIST)).content.decode())
    stored = ApiKey.objects.get()
    assert (stored.created_by, stored.scope) == ("ana", "read")
    assert (
        key.rsplit("_", 1)[1]
        not in admin.get(
            reverse("admin:discovery_apikey_change", args=[stored.pk])
        ).content.decode()
    )


def test_the_name_of_a_key_is_escaped_in_the_message(admin: Client) -> None:
    page = admin.post(
        reverse(ADD), {"name": "<b>x</b>", "scope": "read"}, follow=True
    ).content.decode()
    assert "<b>x</b>" not in page


def test_an_expiry_in_the_past_is_refused(admin: Client) -> None:
    form = {
        "name": "robot",
        "scope": "read",
        "expires_at_0": "2020-01-01",
        "expires_at_1": "00:00",
    }
    assert (
        "The expiry time is in the past."
        in admin.post(reverse(ADD), form).content.decode()
    )
    assert not ApiKey.objects.exists()


def test_an_existing_key_is_neither_changed_nor_deleted(admin: Client) -> None:
    create_key("robot")
    row = ApiKey.objects.get()
    change = reverse("admin:discovery_apikey_change", args=[row.pk])
    assert admin.get(change).status_code == 200
    assert admin.post(change, {"name": "other", "scope": "admin"}).status_code == 403
    delete = reverse("admin:discovery_apikey_delete", args=[row.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403


def test_revoking_requires_a_confirmation(admin: Client) -> None:
    create_key("robot")
    row = ApiKey.objects.get()
    page = admin.post(
        reverse(LIST), {"action": "revoke", "_selected_action": [row.pk]}
    ).content.decode()
    assert "Revoke 1 key?" in page
    assert row.name in page
    row.refresh_from_db()
    assert row.revoked_at is None


def test_a_revoked_key_is_refused_at_once_and_keeps_its_time(admin: Client) -> None:
    key, _ = create_key("robot")
    row = ApiKey.objects.get()
    revoke = {"action": "revoke", "_selected_action": [row.pk], "sure": "yes"}
    admin.post(reverse(LIST), revoke)
    row.refresh_from_db()
    first = row.revoked_at
    admin.post(reverse(LIST), revoke)
    row.refresh_from_db()
    assert row.revoked_at == first
    assert Api(Client(), key).get("runs").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_only_superusers_manage_keys(group: str, person) -> None:
    client = Client()
    client.force_login(person(group, is_staff=True))
    assert client.get(reverse(LIST)).status_code == 403
