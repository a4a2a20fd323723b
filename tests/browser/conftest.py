"""A real Chromium against the real stack: gunicorn, a worker, the simulated market.
Nothing else is reachable.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from discovery import services
from discovery.domain.run_params import Params
from discovery.models import Config, Run
from discovery.models.enums import Trigger
from tests.groups import make_groups
from tests.markets import RunningMarket, market
from walltrack.processes import until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough password"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)


@dataclass
class Stack:
    """The running stack. `run_id` is a completed run that found wallets."""

    url: str
    market: RunningMarket
    run_id: str
    sessions: dict[str, Any]


@dataclass
class Visitor:
    """A browser page and its console messages, script errors, failed and outside
    requests.
    """

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> Page:
        """Open a page below /admin/discovery/ and return it."""
        self.page.goto(f"{self.url}/admin/discovery/{path}")
        return self.page


def _record_complaints(visitor: Visitor) -> None:
    complaints = visitor.complaints

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{visitor.url}/", "data:", "blob:")):
            complaints.append(f"outside: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} {response.url}")

    visitor.page.on("console", on_console)
    visitor.page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    visitor.page.on("request", on_request)
    visitor.page.on("response", on_response)


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def _django_db_helper() -> None:
    """Replace pytest-django's transaction around each test: the stack sees the rows,
    and `stack` deletes them.
    """


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests with a browser to the end, so that all share one stack in any
    order of the other tests.
    """
    folder = Path(__file__).parent
    items.sort(key=lambda item: item.path.is_relative_to(folder))


@pytest.fixture(scope="package")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Return Debian's Chromium. Skips the test if it is not installed.

    Its event loop runs in this thread until the package ends. Therefore the test
    database is created before, and tests with event loops of their own run after.
    """
    if CHROMIUM is None:
        pytest.skip(
            "Chromium is not on this machine (Debian: apt-get install chromium)"
        )
    # Django refuses ORM calls in a thread with a running event loop, and the driver has
    # one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        arguments = [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def stack(
    chromium: Browser,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Start everything and complete one run. Its rows are deleted at the end of the
    package.
    """
    from tests.runs.workers import environment, workers

    folder = tmp_path_factory.mktemp("stack")
    with (
        django_db_blocker.unblock(),
        market("--world", "small", "--seed", "2") as simulated,
        contextlib.ExitStack() as up,
    ):
        up.callback(_delete_rows)
        _create_users()
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        env = environment(
            simulated.urls(), SECRET_KEY="k" * 50, ALLOWED_HOSTS="127.0.0.1", PUBLIC_URL=url, DEBUG="false",
            PROVIDER_PATIENCE_SECONDS="4",
        )  # fmt: skip
        up.enter_context(_web(port, env, folder))
        up.enter_context(workers(1, env, folder))
        Config.load()
        run = services.start_run({}, trigger=Trigger.API, triggered_by="robot")
        assert until(
            lambda: Run.objects.filter(pk=run.pk, status="completed").exists(), 90
        )
        yield Stack(url, simulated, str(run.pk), {})
        assert simulated.stats()["unhandled_count"] == 0


def _create_users() -> None:
    make_groups()
    for name, group in (("ana", "operator"), ("vic", "viewer")):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
    User.objects.create_superuser("sue", password=PASSWORD)


def _delete_rows() -> None:
    connection.close()
    call_command(
        "flush",
        interactive=False,
        verbosity=0,
        inhibit_post_migrate=False,
        allow_cascade=True,
    )
    make_groups()  # flush removed the rows that a migration creates
    connection.close()


@contextlib.contextmanager
def _web(port: int, env: dict[str, str], folder: Path) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "walltrack.wsgi:application",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    log = folder / "web.log"
    with log.open("wb") as out:
        web = subprocess.Popen(
            [*command, "--threads", "8", "--no-control-socket"],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
        )
    try:
        assert until(lambda: _is_up(f"http://127.0.0.1:{port}/health"), 30), (
            log.read_text()[-2000:]
        )
        yield
    finally:
        web.terminate()
        web.wait(timeout=20)


def _is_up(url: str) -> bool:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(url, timeout=5) as response,
    ):
        return bool(response.status == 200)
    return False


@pytest.fixture
def visit(chromium: Browser, stack: Stack) -> Iterator[Callable[..., Visitor]]:
    """Return `visit(name, width=…, theme=…)`, which logs in unless the name is None.
    Complaints fail the test.
    """
    opened: list[tuple[Any, Visitor]] = []

    def make(
        name: str | None = "ana",
        *,
        width: int = 1280,
        theme: str = "light",
        **options: Any,
    ) -> Visitor:
        session = stack.sessions.get(name or "")
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, storage_state=session, **options
        )
        context.add_init_script(
            f"localStorage.setItem('adminTheme', JSON.stringify('{theme}'))"
        )
        visitor = Visitor(context.new_page(), stack.url)
        visitor.page.set_default_timeout(15_000)
        opened.append((context, visitor))
        if name is not None and session is None:
            log_in(visitor, name)
            visitor.page.wait_for_url("**/admin/discovery/")
            stack.sessions[name] = context.storage_state()
        _record_complaints(visitor)
        return visitor

    yield make
    complaints: list[str] = []
    for context, visitor in opened:
        complaints += visitor.complaints
        context.close()
    assert complaints == []


@pytest.fixture
def reset_configuration(stack: Stack) -> None:
    """Reset the configuration. Fails if a run is active."""
    assert not Run.objects.filter(status__in=("queued", "running")).exists()
    flags = list(Params().excluded_flags)
    Config.objects.update(
        enabled=True,
        schedule_hours=6,
        max_tokens=20,
        excluded_flags=flags,
        next_run_at=None,
        updated_by=None,
    )


def wait_for_htmx(page: Page) -> None:
    """Wait until htmx has swapped in all responses and their elements listen for
    events.
    """
    page.wait_for_function(
        "!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')"
    )


def log_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """Log in with the form of the login page."""
    page = visitor.page
    page.goto(f"{visitor.url}/")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
