"""A healthy system, and servers that misbehave."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from discovery.models import Config, Heartbeat, Provider, Run
from tests.health.faulty_servers import SilentServer

GetHealth = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """The threads of all checks end soon after the test, whatever the check did."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("health"):
            thread.join(timeout=3)
            assert not thread.is_alive()


@pytest.fixture
def heartbeat() -> Callable[..., Heartbeat]:
    """`heartbeat("beat", age_seconds=200, **detail)`: a heartbeat of that age."""

    def make(name: str, *, age_seconds: float = 5, **detail: Any) -> Heartbeat:
        at = timezone.now() - timedelta(seconds=age_seconds)
        return Heartbeat.objects.update_or_create(
            name=name, defaults={"at": at, "detail": detail}
        )[0]

    return make


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """`make_run(status="running", stage="analyse")`: a run; by default one completed an
    hour ago.
    """

    def make(*, began: datetime | None = None, **values: Any) -> Run:
        began = began or timezone.now() - timedelta(hours=1)
        defaults = {
            "status": "completed",
            "stage": "done",
            "trigger_type": "scheduled",
            "started_at": began,
            "completed_at": began + timedelta(seconds=90),
            "duration_seconds": "90.25",
            "tokens_analyzed": 7,
            "new_wallets": 3,
            "updated_wallets": 2,
        }
        return Run.objects.create(**defaults | values)

    return make


@pytest.fixture
def healthy_system(transactional_db: None, heartbeat: Any, make_run: Any) -> None:
    """Every component has just reported, a run is completed, and the next is due in
    five hours.
    """
    heartbeat("beat")
    heartbeat("tick")
    heartbeat("canary", sent_at="2026-01-01T00:00:00Z", worker="celery@host-17")
    heartbeat(
        "worker:host-17:42",
        host="host-17",
        pid=42,
        concurrency=4,
        active=1,
        queues=["runs", "steps"],
    )
    Provider.objects.create(name="helius", last_success_at=timezone.now())
    due = timezone.now() + timedelta(hours=5)
    Config.objects.update_or_create(
        pk=1, defaults={"next_run_at": due, "updated_by": "ana"}
    )
    make_run()


@pytest.fixture
def get_health(client: Client) -> GetHealth:
    """`get_health()`: the JSON of /health/detailed as an anonymous caller sees it, with
    the status code as `code`.
    """

    def get(path: str = "/health/detailed", **options: Any) -> dict[str, Any]:
        response = client.get(path, **options)
        return {**response.json(), "code": response.status_code}

    return get


@pytest.fixture
def get_health_as_operator(
    client: Client, get_health: GetHealth, transactional_db: None
) -> GetHealth:
    """`get_health` for a signed-in member of staff."""
    client.force_login(User.objects.create_user("ana", is_staff=True))
    return get_health


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    """A server that accepts connections and never responds."""
    with SilentServer() as server:
        yield server


@pytest.fixture
def database_at(transactional_db: None) -> Iterator[Callable[[int], None]]:
    """`database_at(port)`: new connections go to that port; the test's own connection
    stays open.
    """
    with pytest.MonkeyPatch.context() as patch:
        yield lambda port: patch.setitem(connections.settings["default"], "PORT", port)
