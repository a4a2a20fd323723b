"""A system that is well, and servers that are not."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone
from ill_servers import Silent

from discovery.models import Config, Heartbeat, Provider, Run

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_check_left_behind() -> Iterator[None]:
    """Whatever a check met, its thread ends soon."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("health"):
            thread.join(timeout=3)
            assert not thread.is_alive()


@pytest.fixture
def heartbeat() -> Callable[..., Heartbeat]:
    """`heartbeat("beat", age_seconds=200, **detail)`: a sign of life of that age."""

    def make(name: str, *, age_seconds: float = 5, **detail: Any) -> Heartbeat:
        at = timezone.now() - timedelta(seconds=age_seconds)
        return Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "detail": detail})[0]

    return make


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """`make_run(status="running", stage="analyse")`: a run; completed an hour ago unless told otherwise."""

    def make(*, began: datetime | None = None, **values: Any) -> Run:
        began = began or timezone.now() - timedelta(hours=1)
        usual = {
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
        return Run.objects.create(**usual | values)

    return make


@pytest.fixture
def all_well(transactional_db: None, heartbeat: Any, make_run: Any) -> None:
    """Every part has just spoken, a run is done, the next is due in five hours."""
    heartbeat("beat")
    heartbeat("tick")
    heartbeat("canary", sent_at="2026-01-01T00:00:00Z", worker="celery@host-17")
    heartbeat("worker:host-17:42", host="host-17", pid=42, concurrency=4, active=1, queues=["runs", "steps"])
    Provider.objects.create(name="helius", last_success_at=timezone.now())
    due = timezone.now() + timedelta(hours=5)
    Config.objects.update_or_create(pk=1, defaults={"next_run_at": due, "updated_by": "ana"})
    make_run()


@pytest.fixture
def ask(client: Client) -> Ask:
    """`ask()`: the page of /health/detailed as anybody sees it, with the code under `code`."""

    def page(path: str = "/health/detailed", **options: Any) -> dict[str, Any]:
        answer = client.get(path, **options)
        return {**answer.json(), "code": answer.status_code}

    return page


@pytest.fixture
def ask_as_operator(client: Client, ask: Ask, transactional_db: None) -> Ask:
    """The same as signed-in staff see it."""
    client.force_login(User.objects.create_user("ana", is_staff=True))
    return ask


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A server that accepts and never answers."""
    with Silent() as server:
        yield server


@pytest.fixture
def database_at(transactional_db: None) -> Iterator[Callable[[int], None]]:
    """`database_at(port)`: new connections go there; the test's own stays."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda port: patch.setitem(connections.settings["default"], "PORT", port)
