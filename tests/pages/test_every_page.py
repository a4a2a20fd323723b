"""What holds for every page: few queries however many rows, one policy, no script of
its own, nothing from outside.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery.admin.urls import urlpatterns
from discovery.models import Run, Wallet
from discovery.reads.additions import addition_id
from tests.factories import (
    MINT,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    ScoreSnapshotFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12
PAGES = {
    "home": "",
    "live": "live",
    "estimate": "estimate?max_tokens=20",
    "pumps": "pumps",
    "overview": "overview?range=all",
    "run": "runs/{run}/",
    "run-dialog": "runs/{run}/dialog",
    "run-live": "runs/{run}/live",
    "run-body": "runs/{run}/body",
    "early-buyers": "runs/{run}/early-buyers",
    "wallets": "wallets/",
    "add-wallets": "wallets/add/",
    "addition": "wallets/add/{addition}/progress",
    "wallet": "wallets/{wallet}/",
    "tokens": "wallets/{wallet}/tokens",
    "scores": "wallets/{wallet}/scores",
    "trades": "wallets/{wallet}/trades",
    "coverage": "wallets/{wallet}/coverage/",
    "moved-units": "wallets/{wallet}/coverage/out_sale",
    "report": "report/",
    "report-sentence": "report/sentence",
    "why": "why/?address={wallet}",
    "providers": "providers/",
    "provider-check": "providers/check",
    "storage": "storage/",
}
ACTS = {
    "save-params",
    "what-if",
    "save-schedule",
    "start",
    "cancel",
    "retry",
    "add-list",
    "change-wallet",
    "tag-wallet",
    "pin-wallet",
    "blacklist-wallet",
    "profile",
    "check-providers",
}


def many(count: int) -> dict[str, str]:
    """`count` of everything."""
    for number in range(count):
        run = RunFactory(started_at=timezone.now())
        WalletFactory(number=number)
    for number in range(count):
        RunWalletFactory(run=run, wallet=number)
        RunTokenFactory(run=run, mint=address(1000 + number), rank=number)
        TradeFactory(wallet=0, slot=100 + number)
        CycleFactory(wallet=0, mint=address(1000 + number))
        TokenResultFactory(wallet=0, mint=address(1000 + number))
        ScoreSnapshotFactory(wallet=0)
    PositionFactory(wallet=0, mint=MINT)
    added = Wallet.history.filter(address=address(0)).latest("history_date")  # type: ignore[attr-defined]
    return {
        "run": str(run.pk),
        "wallet": address(0),
        "addition": addition_id(added.history_date),
    }


REDIRECTS = {"table-under-earlier-name"}


def test_every_path_is_a_page_or_an_act() -> None:
    assert {pattern.name for pattern in urlpatterns} - REDIRECTS == PAGES.keys() | ACTS


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_as_often_for_few_rows_as_for_many(
    name: str, viewer: Person
) -> None:
    counts = []
    for count in (1, 40):
        Run.objects.all().delete()
        for model in ("Wallet", "Trade", "Cycle", "Position", "TokenResult"):
            __import__("discovery.models").models.__dict__[model].objects.all().delete()
        path = PAGES[name].format(**many(count))
        viewer.page(path)  # content types and the like are looked up once a process
        with CaptureQueriesContext(connection) as queries:
            assert viewer.page(path).status_code in {200, 204}
        counts.append(len(queries))
    assert counts[0] == counts[1] <= MOST_QUERIES, counts


@pytest.mark.parametrize(
    "path", ["", "live", "runs/{run}/", "runs/{run}/live", "runs/{run}/body"]
)
def test_a_run_at_work_costs_a_page_no_more_than_its_budget(
    path: str, operator: Person
) -> None:
    run = RunFactory(
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=timezone.now(),
    )
    RunWalletFactory(run=run, wallet=1)
    path = path.format(run=run.pk)
    operator.page(path)
    with CaptureQueriesContext(connection) as queries:
        assert operator.page(path).status_code == 200
    assert len(queries) <= MOST_QUERIES


@pytest.fixture
def whole_pages(viewer: Person, operator: Person) -> Callable[[], list[str]]:
    def pages() -> list[str]:
        found = many(3)
        paths = [path.format(**found) for path in PAGES.values()]
        return [
            who.page(path).content.decode()
            for who in (viewer, operator)
            for path in paths
        ]

    return pages


def test_no_page_has_a_script_of_its_own_text(whole_pages: Callable) -> None:
    for page in [*whole_pages(), Client().get("/admin/login/").content.decode()]:
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\son[a-z]+=", page)
        assert "javascript:" not in page


def test_no_page_loads_anything_from_outside(whole_pages: Callable) -> None:
    for page in [*whole_pages(), Client().get("/admin/login/").content.decode()]:
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]+)"', page
        )
        assert all(each.startswith("/") for each in loaded), loaded


@pytest.mark.parametrize("path", ["/admin/discovery/", "/admin/login/", "/api/docs"])
def test_every_answer_has_the_policy(path: str, viewer: Person) -> None:
    policy = viewer.client.get(path).headers.get("Content-Security-Policy", "")
    assert set(policy.split("; ")) == {
        "default-src 'self'", "script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:", "object-src 'none'", "base-uri 'self'", "frame-ancestors 'none'",
    }  # fmt: skip


def test_a_name_that_is_guessed_at_rests_for_a_while(db: None, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    wrong = {"username": "ana", "password": "wrong"}
    answers = [client.post("/admin/login/", wrong).status_code for _ in range(4)]
    assert answers[-1] == 429
    assert "are blocked for" in client.post("/admin/login/", wrong).content.decode()
    assert client.post("/admin/login/", {**wrong, "username": "ben"}).status_code == 200


def test_who_guesses_behind_a_proxy_locks_out_nobody_else(db: None, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    settings.TRUSTED_PROXY_COUNT = 1
    client = Client()

    def tries(forwarded: str) -> int:
        wrong = {"username": "ana", "password": "wrong"}
        return client.post(
            "/admin/login/", wrong, headers={"X-Forwarded-For": forwarded}
        ).status_code

    # What stands left of the proxy's own word is anybody's invention.
    assert [tries(f"10.9.9.{number}, 203.0.113.5") for number in range(4)][-1] == 429
    assert tries("198.51.100.7") == 200


def test_who_goes_on_guessing_does_not_prolong_the_rest(db: None, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    wrong = {"username": "ana", "password": "wrong"}
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        statuses = []
        for minutes in (0, 0, 0, 0, 10, 16):
            clock.move_to(now + timedelta(minutes=minutes))
            statuses.append(client.post("/admin/login/", wrong).status_code)
    assert statuses == [200, 200, 429, 429, 429, 200]


@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/admin/discovery/", "/api/docs"]
)
def test_a_name_that_is_not_ours_is_told_which_setting_admits_it(
    path: str, viewer: Person
) -> None:
    answer = viewer.client.get(path, headers={"Host": "walltrack.lan:8080"})
    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.content.decode()


def test_the_login_page_names_the_command_where_nobody_can_log_in_yet(db: None) -> None:
    assert "createsuperuser" in Client().get("/admin/login/").content.decode()


@pytest.mark.parametrize(
    "path", ["/admin/nothing/", "/admin/discovery/nothing", "/nothing"]
)
def test_a_path_that_leads_nowhere_says_so_with_a_way_back(
    path: str, viewer: Person
) -> None:
    answer = viewer.client.get(path)
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()
    assert 'href="/admin/discovery/"' in answer.content.decode()


def test_no_row_is_viewed_on_a_site(viewer: Person) -> None:
    of_runs = ContentType.objects.get_for_model(Run)
    assert viewer.client.get(f"/admin/r/{of_runs.pk}/1/").status_code == 404


def test_who_may_not_is_told_which_group_may(person, config) -> None:
    answer = Person(person(None, is_staff=True)).page()
    assert answer.status_code == 403
    assert "viewer" in answer.content.decode()


def test_a_form_that_is_too_old_says_so(viewer: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/admin/login/", {"username": "ana", "password": "x"})
    assert answer.status_code == 403
    assert "The form was too old" in answer.content.decode()
