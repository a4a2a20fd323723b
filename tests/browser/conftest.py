"""A real Chromium before the real stack: gunicorn, a worker, the simulated market; nothing else is reachable."""

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
from playwright.sync_api import Browser, Page, sync_playwright

from discovery import services
from discovery.models import Config, Run
from discovery.models.enums import Trigger
from tests.groups import make_groups
from tests.markets import RunningMarket, market
from walltrack.processes import until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough password"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Stack:
    """What runs. `run_id`: a run that has ended and left wallets."""

    url: str
    market: RunningMarket
    run_id: str
    sessions: dict[str, Any]


@dataclass
class Visitor:
    """One page with what it had to complain about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> Page:
        """A page below /admin/discovery/."""
        self.page.goto(f"{self.url}/admin/discovery/{path}")
        return self.page


def _listen(visitor: Visitor) -> None:
    page, told = visitor.page, visitor.complaints
    page.on("console", lambda line: told.append(f"console: {line.text}") if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: told.append(f"script: {error}"))
    page.on("request", lambda asked: None if _ours(asked.url, visitor.url) else told.append(f"outside: {asked.url}"))
    page.on("response", lambda answer: told.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)


def _ours(url: str, base: str) -> bool:
    return url.startswith((f"{base}/", "data:", "blob:"))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def _django_db_helper() -> None:
    """Instead of pytest-django's transaction around each test: rows are shared with the stack, `stack` deletes them."""


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Debian's Chromium; skipped by name where there is none.

    Its event loop runs in this thread until the module is done: the test database is made before, and other tests that
    run loops of their own come after.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not on this machine (Debian: apt-get install chromium)")
    # The driver keeps an event loop in this thread, where Django would refuse its ORM.
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


@pytest.fixture(scope="module")
def stack(
    chromium: Browser, django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Everything up, with one run done. Its rows stay for the module and are gone behind it."""
    from tests.runs.workers import environment, workers

    folder = tmp_path_factory.mktemp("stack")
    with (
        django_db_blocker.unblock(),
        market("--world", "small", "--seed", "2") as simulated,
        contextlib.ExitStack() as up,
    ):
        up.callback(_emptied)
        _people()
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
        assert until(lambda: Run.objects.filter(pk=run.pk, status="completed").exists(), 90)
        yield Stack(url, simulated, str(run.pk), {})
        assert simulated.stats()["unhandled_count"] == 0


def _people() -> None:
    make_groups()
    for name, group in (("ana", "operator"), ("vic", "viewer")):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
    User.objects.create_superuser("sue", password=PASSWORD)


def _emptied() -> None:
    connection.close()
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=False, allow_cascade=True)
    make_groups()  # whoever comes next finds what a migration leaves
    connection.close()


@contextlib.contextmanager
def _web(port: int, env: dict[str, str], folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "walltrack.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    log = folder / "web.log"
    with log.open("wb") as out:
        web = subprocess.Popen(
            [*command, "--threads", "8", "--no-control-socket"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    try:
        assert until(lambda: _answers(f"http://127.0.0.1:{port}/health"), 30), log.read_text()[-2000:]
        yield
    finally:
        web.terminate()
        web.wait(timeout=20)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def visit(chromium: Browser, stack: Stack) -> Iterator[Callable[..., Visitor]]:
    """`visit("ana", width=390, theme="dark")`: somebody logged in, None = nobody yet. Complaints fail the test."""
    opened: list[tuple[Any, Visitor]] = []

    def make(name: str | None = "ana", *, width: int = 1280, theme: str = "light", **options: Any) -> Visitor:
        kept = stack.sessions.get(name or "")
        context = chromium.new_context(viewport={"width": width, "height": 900}, storage_state=kept, **options)
        context.add_init_script(f"localStorage.setItem('adminTheme', JSON.stringify('{theme}'))")
        visitor = Visitor(context.new_page(), stack.url)
        visitor.page.set_default_timeout(15_000)
        opened.append((context, visitor))
        if name is not None and kept is None:
            log_in(visitor, name)
            visitor.page.wait_for_url("**/admin/discovery/")
            stack.sessions[name] = context.storage_state()
        _listen(visitor)
        return visitor

    yield make
    complaints = [words for _, visitor in opened for words in visitor.complaints]
    for context, _ in opened:
        context.close()
    assert complaints == []


def log_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """By the form."""
    page = visitor.page
    page.goto(f"{visitor.url}/")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button[type=submit]")
