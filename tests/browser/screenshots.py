"""Screenshots of every page at both widths and themes: `make screenshots`. `make test`
does not collect this file.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from discovery.models import ApiKey, Config, Position, Run, Wallet
from tests.browser.conftest import Stack, Visitor, log_in
from tests.factories import RunFactory

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).resolve().parents[2] / ".data" / "screenshots"
FAILURE = "no source of tokens answered; see the errors for each one's cause"
PAGES = {
    "discovery": "/admin/discovery/",
    "run": "/admin/discovery/runs/{run}/",
    "wallets": "/admin/discovery/wallets/",
    "wallet": "/admin/discovery/wallets/{wallet}/",
    "why": "/admin/discovery/why/?address={rejected}",
    "coverage": "/admin/discovery/wallets/{wallet}/coverage/",
    "runs-list": "/admin/discovery/run/",
    "tokens-list": "/admin/discovery/runtoken/",
    "wallets-of-runs-list": "/admin/discovery/runwallet/",
    "positions-list": "/admin/discovery/position/",
    "trades-list": "/admin/discovery/trade/",
    "configuration": "/admin/discovery/config/1/change/",
    "configuration-history": "/admin/discovery/config/1/history/",
    "api-keys": "/admin/discovery/apikey/",
    "api-key-new": "/admin/discovery/apikey/add/",
    "storage": "/admin/discovery/storage/",
    "users": "/admin/auth/user/",
    "intervals": "/admin/django_celery_beat/periodictask/",
    "api": "/api/docs",
    "not-found": "/admin/nothing/",
}


WIDTHS_AND_THEMES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.mark.parametrize(("width", "theme"), WIDTHS_AND_THEMES)
def test_pictures(
    width: int, theme: str, visit: Callable[..., Visitor], stack: Stack
) -> None:
    """Also the login page, a dialog, open pumps and an active run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    ApiKey.objects.get_or_create(
        name="the robot", prefix="wt_abcdefgh", secret_hash="0" * 64
    )
    if not Config.history.exists():  # type: ignore[attr-defined]  # simple_history adds it
        for changes in (
            {"max_tokens": 30},
            {"max_tokens": 20, "excluded_flags": ["plumbing", "bundle", "wash"]},
        ):
            config = Config.objects.get()
            for name, value in changes.items():
                setattr(config, name, value)
            config.save()
    wallet = (
        Wallet.objects.listed()
        .filter(score__isnull=False)
        .order_by("-score", "address")[0]
    )
    rejected = Position.objects.filter(rejection="profit").order_by("pk")[0]
    visitor = visit("sue", width=width, theme=theme)
    page = visitor.page

    def take(name: str) -> None:
        _take(visitor, name, width, theme)

    for name, path in PAGES.items():
        page.goto(
            stack.url
            + path.format(
                run=stack.run_id,
                wallet=wallet.address,
                rejected=rejected.wallet_address,
            )
        )
        take(name)
    visitor.open()
    page.fill("#id_min_profit_pct", "100")
    page.get_by_role("button", name="Show what would change").click()
    page.locator("#what-if tbody tr").first.wait_for()
    take("discovery-what-if")
    visitor.open()
    page.get_by_role("button", name="View pumps").click()
    page.locator("#pumps tbody tr").first.wait_for()
    take("discovery-pumps")
    page.locator("#overview tbody tr").first.get_by_role("button").click()
    page.locator("#dialog").wait_for()
    take("discovery-dialog")
    page.keyboard.press("Escape")
    page.fill("#id_max_tokens", "0")
    page.get_by_role("button", name="Save").click()
    page.locator(".wt-problem").first.wait_for()
    take("discovery-problem")
    visitor.open()
    page.get_by_role("button", name="Run now").click()
    page.locator("#live progress").wait_for()
    take("discovery-at-work")
    run = Run.objects.latest("started_at")
    visitor.open(f"runs/{run.pk}/")
    take("run-at-work")
    visitor.open()
    page.locator("#live").get_by_text("no active run").wait_for(timeout=60_000)
    page.goto(f"{stack.url}/admin/discovery/apikey/")
    page.locator("#result_list tbody input[type=checkbox]").first.check()
    page.select_option("select[name=action]", "revoke")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("heading", name="Revoke 1 key?").wait_for()
    take("api-key-revoke")
    out = visit(None, width=width, theme=theme)
    out.page.goto(f"{stack.url}/admin/login/")
    out.page.wait_for_timeout(500)
    out.page.screenshot(path=FOLDER / f"login-{width}-{theme}.png", full_page=True)
    visitor.complaints.clear()


@pytest.mark.parametrize(("width", "theme"), WIDTHS_AND_THEMES)
def test_pictures_of_failures(
    width: int, theme: str, visit: Callable[..., Visitor], stack: Stack
) -> None:
    """A failed run, the page of a viewer, a blocked login, an expired form."""
    failed = RunFactory(
        status="failed",
        errors=[{"step": "find_tokens", "code": "unreachable", "message": FAILURE}],
    )
    visitor = visit("vic", width=width, theme=theme)
    for name, path in (("run-failed", f"runs/{failed.pk}/"), ("viewer", "")):
        visitor.open(path)
        _take(visitor, name, width, theme)
    failed.delete()
    out = visit(None, width=width, theme=theme)
    for _ in range(10):
        with out.page.expect_response(
            lambda response: response.request.method == "POST"
        ):
            log_in(out, "ben", "wrong")
    out.page.get_by_text("Too many wrong passwords").wait_for()
    _take(out, "locked-out", width, theme)
    call_command("axes_reset", verbosity=0)
    out.page.goto(f"{stack.url}/admin/login/")
    out.page.context.clear_cookies()
    out.page.fill("#id_username", "ben")
    out.page.fill("#id_password", "wrong")
    out.page.click("button[type=submit]")
    out.page.get_by_text("The form was too old").first.wait_for()
    _take(out, "form-too-old", width, theme)
    visitor.complaints.clear()
    out.complaints.clear()


@pytest.mark.parametrize(("width", "theme"), WIDTHS_AND_THEMES)
def test_pictures_of_a_first_day(
    width: int, theme: str, visit: Callable[..., Visitor]
) -> None:
    """No run yet. This test is the last one in the file because it deletes all results."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE discovery_runs, discovery_wallets, discovery_pumps, discovery_cycles CASCADE"
        )
    visitor = visit(width=width, theme=theme)
    for name, path in (
        ("first-day", ""),
        ("first-day-wallets", "wallets/"),
        ("first-day-runs-list", "run/"),
    ):
        visitor.open(path)
        _take(visitor, name, width, theme)


def _take(visitor: Visitor, name: str, width: int, theme: str) -> None:
    visitor.page.wait_for_timeout(700)
    visitor.page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=True)
