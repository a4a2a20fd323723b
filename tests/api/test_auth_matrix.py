"""Authentication and scopes: every path and method of the router with every kind of
caller.
"""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from discovery.api.urls import PATHS
from discovery.domain.api_keys import new_key
from discovery.models import ApiKey, Run, Wallet
from discovery.reads.additions import addition_id
from tests.api.client import Api
from tests.factories import RunFactory, WalletFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]

OPEN, READ, RUN, ADMIN = "open", "read", "run", "admin"
MATRIX = {
    ("schema", "GET"): OPEN,
    ("docs", "GET"): OPEN,
    ("start", "POST"): RUN,
    ("runs", "GET"): READ,
    ("run", "GET"): READ,
    ("run-wallets", "GET"): READ,
    ("run-tokens", "GET"): READ,
    ("run-early-buyers", "GET"): READ,
    ("cancel", "POST"): RUN,
    ("retry", "POST"): RUN,
    ("stats", "GET"): READ,
    ("report", "GET"): READ,
    ("config", "GET"): READ,
    ("config", "PUT"): ADMIN,
    ("config", "PATCH"): ADMIN,
    ("what-if", "POST"): READ,
    ("plan", "POST"): READ,
    ("status", "GET"): READ,
    ("pumps", "GET"): READ,
    ("addition", "GET"): READ,
    ("wallets", "GET"): READ,
    ("wallets", "POST"): ADMIN,
    ("wallet", "GET"): READ,
    ("wallet", "PATCH"): ADMIN,
    ("wallet-tokens", "GET"): READ,
    ("wallet-scores", "GET"): READ,
    ("trades", "GET"): READ,
    ("positions", "GET"): READ,
    ("coverage", "GET"): READ,
    ("coverage-transactions", "GET"): READ,
    ("why", "GET"): READ,
    ("profile", "POST"): RUN,
}
"""Name of the path and method → the scope that a caller needs."""
CALLS = sorted(MATRIX)
RANKS = {OPEN: 0, READ: 1, RUN: 2, ADMIN: 3}
BODIES = {"PUT": {"enabled": True, "schedule_hours": 5, "params": {}}, "PATCH": {}}
BODIES_OF_CALLS = {("wallets", "POST"): {"wallets": []}}


def status_code(name: str, method: str) -> int:
    """Return the status of a call that is allowed: 202 if it requests work."""
    return (
        202 if method == "POST" and name not in {"what-if", "plan", "wallets"} else 200
    )


def methods_of(name: str) -> set[str]:
    view = PATHS[name][1].view_class  # type: ignore[attr-defined]
    return {
        method.upper()
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, method)
    }


def url(name: str, slash: str = "") -> str:
    """Return the path with a run and a wallet that allow the call."""
    run = Run.objects.filter(status="completed").first() or RunFactory()
    if name == "cancel":
        run = Run.objects.filter(status="running").first() or RunFactory(
            status="running", stage="analyse"
        )
    wallet = Wallet.objects.first() or WalletFactory(number=1)
    added = Wallet.history.earliest("history_date")  # type: ignore[attr-defined]
    route = (
        PATHS[name][0]
        .replace("<str:run_id>", str(run.pk))
        .replace("<str:address>", wallet.address)
        .replace("<str:category>", "out_sale")
        .replace("<str:addition_id>", addition_id(added.history_date))
    )
    return f"/api/{route}{slash}"


def call(api: Api, name: str, method: str, slash: str = "", **headers: str):
    body = BODIES_OF_CALLS.get((name, method), BODIES.get(method))
    return api.call(method, url(name, slash), body, If_Match="*", **headers)


def test_every_method_of_every_path_has_a_row() -> None:
    assert set(MATRIX) == {
        (name, method) for name in PATHS for method in methods_of(name)
    }


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_an_anonymous_caller_reads_the_description_alone(
    name: str, method: str
) -> None:
    response = call(Api(Client()), name, method)
    if MATRIX[name, method] == OPEN:
        assert response.status_code == 200
    else:
        assert (response.status_code, response.json()["code"]) == (
            401,
            "not_authenticated",
        )
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="walltrack"'


@pytest.mark.parametrize(
    "flaw", ["malformed", "unknown", "wrong secret", "revoked", "expired"]
)
@pytest.mark.parametrize(
    ("name", "method"), [row for row in CALLS if MATRIX[row] != OPEN]
)
def test_every_call_with_an_invalid_key_is_401(
    name: str, method: str, flaw: str, make_key: Callable
) -> None:
    before = timezone.now() - timedelta(minutes=1)
    key = {
        "malformed": lambda: "wt_nonsense",
        "unknown": lambda: new_key().text,
        "wrong secret": lambda: make_key("admin")[:-1] + "x",
        "revoked": lambda: make_key("admin", revoked_at=before),
        "expired": lambda: make_key("admin", expires_at=before),
    }[flaw]()
    response = call(Api(Client(), key), name, method)
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers


@pytest.mark.parametrize("scope", [READ, RUN, ADMIN])
@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_key_may_make_the_calls_of_its_scope(
    name: str, method: str, scope: str, make_key: Callable
) -> None:
    response = call(Api(Client(), make_key(scope)), name, method)
    if RANKS[scope] >= RANKS[MATRIX[name, method]]:
        assert response.status_code == status_code(name, method)
    else:
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
        assert MATRIX[name, method] in response.json()["detail"]


@pytest.mark.parametrize("group", [None, "viewer", "operator", "superuser"])
@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_user_may_make_the_calls_of_the_group(
    name: str, method: str, group: str | None, person: Callable
) -> None:
    user = person(
        None if group == "superuser" else group,
        is_superuser=group == "superuser",
        is_staff=True,
    )
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.cookies["walltrack_csrf"] = token = "t" * 32
    rank = {None: 0, "viewer": 1, "operator": 3, "superuser": 3}[group]
    response = call(
        Api(client), name, method, X_CSRFToken=token, Origin="http://testserver"
    )
    assert response.status_code == (
        status_code(name, method) if rank >= RANKS[MATRIX[name, method]] else 403
    )


@pytest.mark.parametrize(("name", "method"), [row for row in CALLS if row[1] != "GET"])
def test_a_session_without_the_csrf_token_changes_nothing(
    name: str, method: str, person: Callable
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator", is_staff=True))
    response = call(Api(client), name, method)
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]


def test_a_deactivated_user_is_anonymous(person: Callable) -> None:
    client = Client()
    user = person("operator")
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Api(client).get("runs").status_code == 401


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_without_authentication_every_call_is_allowed(
    name: str, method: str, settings
) -> None:
    settings.API_AUTH_ENABLED = False
    assert call(Api(Client()), name, method).status_code == status_code(name, method)


def test_without_authentication_the_author_of_a_run_is_anonymous(settings) -> None:
    settings.API_AUTH_ENABLED = False
    run_id = Api(Client()).post("run").json()["run_id"]
    assert Run.objects.get(pk=run_id).triggered_by == "anonymous"


@pytest.mark.parametrize(
    "path",
    ["/admin/discovery/", "/admin/discovery/run/", "/admin/discovery/apikey/add/"],
)
def test_without_authentication_the_pages_still_require_a_login(
    path: str, client: Client, settings
) -> None:
    settings.API_AUTH_ENABLED = False
    response = client.get(f"/admin/discovery/{path}")
    assert response.status_code == 302
    assert "/admin/login/" in response.headers["Location"]


def test_without_authentication_another_origin_changes_nothing(settings) -> None:
    settings.API_AUTH_ENABLED = False
    api = Api(Client())
    assert api.post("run", Origin="https://evil.example").status_code == 403
    assert not Run.objects.exists()
    assert api.post("run", Origin="http://testserver").status_code == 202


def test_without_authentication_a_listed_origin_may_start_a_run(settings) -> None:
    settings.API_AUTH_ENABLED = False
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    assert Api(Client()).post("run", Origin="https://desk.example").status_code == 202


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_trailing_slash_makes_no_difference(
    name: str, method: str, make_key: Callable
) -> None:
    response = call(Api(Client(), make_key("admin")), name, method, slash="/")
    assert response.status_code == status_code(name, method)


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
)
@pytest.mark.parametrize(
    "name", [name for name in PATHS if name not in {"schema", "docs"}]
)
def test_an_unsupported_method_is_405_and_allow_names_the_others(
    name: str, method: str, make_key: Callable
) -> None:
    if method in methods_of(name):
        return
    response = call(Api(Client(), make_key("admin")), name, method)
    assert (response.status_code, response.json()["code"]) == (
        405,
        "method_not_allowed",
    )
    assert methods_of(name) <= set(response.headers["Allow"].split(", "))


def test_migrations_create_the_groups(groups: None) -> None:
    names = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.order_by("pk")
    }
    changing = {"add_run", "change_config", "change_wallet"}
    assert names["operator"] == names["viewer"] | changing
    assert {"view_run", "view_wallet", "view_historicalconfig"} <= names["viewer"]
    assert all(
        name.startswith("view_") and "apikey" not in name for name in names["viewer"]
    )


def test_the_permissions_of_a_scope_are_enough_without_a_group(
    person: Callable,
) -> None:
    user = person()
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_run", "view_wallet", "add_run"])
    )
    client = Client()
    client.force_login(user)
    assert Api(client).get("runs").status_code == 200
    assert Api(client).call("PATCH", "config", {}, If_Match="*").status_code == 403


def test_the_last_use_of_a_key_is_stored_once_a_minute(make_key: Callable) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    api = Api(Client(), make_key("read", last_used_at=hour_ago))
    api.get("status")
    stored = ApiKey.objects.get().last_used_at
    api.get("status")
    assert stored > hour_ago
    assert ApiKey.objects.get().last_used_at == stored


def test_a_key_in_the_query_string_is_ignored(make_key: Callable) -> None:
    key = make_key("admin")
    response = Api(Client()).get(f"runs?key={key}")
    assert response.status_code == 401


def test_a_key_with_another_scheme_is_ignored(make_key: Callable) -> None:
    response = Api(Client()).get("runs", Authorization=f"Basic {make_key('admin')}")
    assert response.status_code == 401


def test_a_secret_is_neither_logged_nor_stored(make_key: Callable, caplog) -> None:
    key = make_key("run")
    with caplog.at_level("DEBUG"):
        Api(Client(), key).post("run")
        Api(Client(), key[:-1] + "x").post("run")
        Api(Client(), key).get(f"runs/{uuid.uuid4()}")
    secret = key.rsplit("_", 1)[1]
    assert secret not in caplog.text
    assert secret not in json.dumps(list(ApiKey.objects.values()), default=str)
