"""Every page at both widths and themes, as pictures: `make screenshots`. Not collected by `make test`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.conftest import Stack, Visitor

from discovery.models import DiscoveryApiKey, DiscoveryConfig, DiscoveryRun, DiscoveryWallet

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).resolve().parents[2] / ".data" / "screenshots"
PAGES = {
    "discovery": "/admin/discovery/",
    "run": "/admin/discovery/runs/{run}/",
    "wallets": "/admin/discovery/wallets/",
    "wallet": "/admin/discovery/wallets/{wallet}/",
    "runs-list": "/admin/discovery/discoveryrun/",
    "tokens-list": "/admin/discovery/discoveryruntoken/",
    "wallets-of-runs-list": "/admin/discovery/discoveryrunwallet/",
    "positions-list": "/admin/discovery/discoveryposition/",
    "trades-list": "/admin/discovery/discoverytrade/",
    "configuration": "/admin/discovery/discoveryconfig/1/change/",
    "configuration-history": "/admin/discovery/discoveryconfig/1/history/",
    "api-keys": "/admin/discovery/discoveryapikey/",
    "api-key-new": "/admin/discovery/discoveryapikey/add/",
    "storage": "/admin/discovery/storage/",
    "users": "/admin/auth/user/",
    "intervals": "/admin/django_celery_beat/periodictask/",
    "api": "/api/docs",
    "not-found": "/admin/nothing/",
}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_pictures(width: int, theme: str, visit: Callable[..., Visitor], stack: Stack) -> None:
    """Also of the login, of a dialog, of open pumps and of a run at work."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    DiscoveryApiKey.objects.get_or_create(name="the robot", prefix="wt_abcdefgh", secret_hash="0" * 64)
    if not DiscoveryConfig.history.exists():  # type: ignore[attr-defined]  # simple_history adds it
        for changes in ({"max_tokens": 30}, {"max_tokens": 20, "excluded_flags": ["plumbing", "bundle", "wash"]}):
            config = DiscoveryConfig.objects.get()
            for name, value in changes.items():
                setattr(config, name, value)
            config.save()
    wallet = DiscoveryWallet.objects.filter(score__isnull=False).order_by("-score", "address")[0]
    visitor = visit("sue", width=width, theme=theme)
    page = visitor.page

    def take(name: str) -> None:
        page.wait_for_timeout(700)
        page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png", full_page=True)

    for name, path in PAGES.items():
        page.goto(stack.url + path.format(run=stack.run_id, wallet=wallet.address))
        take(name)
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
    page.locator("#live [role=progressbar]").wait_for()
    take("discovery-at-work")
    run = DiscoveryRun.objects.latest("started_at")
    visitor.open(f"runs/{run.pk}/")
    take("run-at-work")
    visitor.open()
    page.locator("#live").get_by_text("none is active").wait_for(timeout=60_000)
    page.goto(f"{stack.url}/admin/discovery/discoveryapikey/")
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
