"""The watchlist and a wallet's page: filters, evidence, what an operator says of it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from discovery.models import Wallet
from tests.factories import (
    MINT,
    NOW,
    CycleFactory,
    PositionFactory,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    TokenResultFactory,
    TradeFactory,
    WalletFactory,
    address,
)
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


def shown(viewer: Person, **query: str) -> list[str]:
    """The addresses in the list, in order."""
    page = viewer.page("wallets/", **query).content.decode()
    return re.findall(r'href="/admin/discovery/wallets/(\w+)/" title', page)


def test_the_best_lower_end_of_the_edge_stands_first_and_unknown_ones_last(
    viewer: Person,
) -> None:
    WalletFactory(number=1, edge_low_pct=None)
    WalletFactory(number=2, edge_low_pct=Decimal("-3.5"))
    WalletFactory(number=3, edge_low_pct=Decimal("2.5"))
    assert shown(viewer) == [address(3), address(2), address(1)]


def test_a_score_is_shown_of_100_with_the_interval_of_the_win_rate(
    viewer: Person,
) -> None:
    WalletFactory(number=1)
    words = text(viewer.page("wallets/"))
    assert "73.1" in words
    assert "75 51–89" in words


def test_a_wallet_of_the_list_leads_with_its_verdict_and_its_edge(
    viewer: Person,
) -> None:
    WalletFactory(number=1)
    words = text(viewer.page("wallets/"))
    assert "watch profiled 24 Nov" in words
    assert "+9.1 [−4.2, +25.3]" in words


@pytest.mark.parametrize(("age_hours", "is_marked"), [(47, False), (49, True)])
def test_a_profile_older_than_twice_its_rule_is_marked(
    age_hours: int, is_marked: bool, viewer: Person
) -> None:
    WalletFactory(number=1, profiled_at=timezone.now() - timedelta(hours=age_hours))
    page = viewer.page("wallets/").content.decode()
    assert ('wt-small wt-warn">profiled' in page) == is_marked


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"verdict": "avoid"}, [3]),
        ({"status": "blacklisted"}, [3]),
        ({"min_score": "60"}, [1]),
        ({"min_score": "50"}, [1, 2]),
        ({"min_score": "101"}, [1, 2, 3]),
        ({"flag": "nonsense"}, [1, 2, 3]),
        ({"max_score": "0.4"}, [1, 2, 3]),
        ({"min_cycles": "12"}, [1, 2]),
        ({"flag": "dust"}, [2]),
        ({"search": "whale"}, [1]),
        ({"search": address(2)[:40]}, [2]),
        ({"ordering": "-realised_lamports"}, [2, 1, 3]),
        ({"ordering": "nonsense"}, [1, 2, 3]),
        ({"status": "nonsense"}, [1, 2, 3]),
        ({"search": "\x00"}, [1, 2, 3]),
    ],
)
def test_the_list_is_filtered_and_sorted(
    query: dict[str, str], found: list[int], viewer: Person
) -> None:
    WalletFactory(number=1, label="the whale", score=Decimal("0.7"), edge_low_pct=3)
    WalletFactory(
        number=2,
        score=Decimal("0.5"),
        edge_low_pct=2,
        flags={"dust": "x"},
        realised_lamports=10**12,
    )
    WalletFactory(
        number=3,
        score=Decimal("0.3"),
        verdict="avoid",
        edge_low_pct=1,
        status="blacklisted",
        resolved_cycles=3,
        realised_lamports=1,
    )
    assert shown(viewer, **query) == [address(number) for number in found]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("min_score", "Score: a whole number of 0 to 100."),
        ("min_cycles", "Cycles: a whole number."),
    ],
)
@pytest.mark.parametrize("value", ["many", "1.5", "-1", "1000001"])
def test_a_filter_that_is_no_number_in_bounds_is_told(
    value: str, field: str, words: str, viewer: Person
) -> None:
    WalletFactory(number=1)
    assert text(viewer.page("wallets/", **{field: value})).count(words) == 1


def test_a_search_uses_the_beginning_of_a_long_text(viewer: Person) -> None:
    WalletFactory(number=1, label="w" * 100)
    WalletFactory(number=2)
    assert shown(viewer, search="w" * 101) == [address(1)]


def test_the_list_has_pages(viewer: Person) -> None:
    for number in range(30):
        WalletFactory(number=number)
    assert len(shown(viewer)) == 25
    assert len(shown(viewer, page="2")) == 5


def test_the_export_has_the_same_filters_and_answers_a_viewers_session(
    viewer: Person,
) -> None:
    WalletFactory(number=1, label="=cmd()")
    WalletFactory(number=2, status="blacklisted")
    page = viewer.page("wallets/", status="active", min_score="50").content.decode()
    (link,) = re.findall(r'href="(/api/discovery/wallets\?[^"]+format=csv)"', page)
    lines = (
        b"".join(viewer.client.get(link.replace("&amp;", "&"))).decode().splitlines()
    )
    assert len(lines) == 2
    assert "'=cmd()" in lines[1]
    assert "min_score=0.5&amp;" in link


def test_an_empty_watchlist_says_what_to_do(viewer: Person) -> None:
    assert "The watchlist is empty" in text(viewer.page("wallets/"))
    WalletFactory(number=1)
    assert "No wallet matches these filters" in text(
        viewer.page("wallets/", flag="wash")
    )


def wallet_with_everything() -> str:
    run = RunFactory()
    RunTokenFactory(run=run)
    WalletFactory(number=1, note="seen in chat")
    RunWalletFactory(run=run, wallet=1)
    TradeFactory(
        wallet=1, slot=381_000_123, network_fee_lamports=5_000, tip_lamports=10_000
    )
    CycleFactory(wallet=1)
    TokenResultFactory(wallet=1)
    PositionFactory(wallet=1)
    return address(1)


@pytest.mark.parametrize(
    "words",
    ["+9.1 % a trade", "73% sure of a gain", "Wait for more tokens", "12.0 % of wallets as good as this",
     "X 2 slots after its launch",
     "PUMP", "behind the leader", "+41.0", "+1.0000", "1.5000", "381000123", "0.000015", "seen in chat", "180.6"],
)  # fmt: skip
def test_the_page_of_a_wallet_tells_everything(words: str, viewer: Person) -> None:
    path = f"wallets/{wallet_with_everything()}/"
    parts = [viewer.part(f"{path}{name}") for name in ("tokens", "trades")]
    assert words in text(viewer.page(path)) + "".join(map(text, parts))


def test_a_figure_leads_to_its_transaction(viewer: Person) -> None:
    path = f"wallets/{wallet_with_everything()}/"
    page = viewer.page(path, mint=MINT).content.decode()
    assert f'href="?mint={MINT}#trades"' in page
    assert f'hx-get="/admin/discovery/{path}trades?mint={MINT}"' in page
    trades = viewer.part(f"{path}trades", mint=MINT).content.decode()
    safe = r'target="_blank"\s+rel="noopener noreferrer"'
    assert re.search(rf'href="https://solscan.io/tx/1z381000123\w+"\s+{safe}', trades)


def test_trades_are_those_of_the_token_asked_for(viewer: Person) -> None:
    wallet_with_everything()
    TradeFactory(wallet=1, slot=7, mint=address(50))
    assert "1 in PUMP" in text(viewer.part(f"wallets/{address(1)}/trades", mint=MINT))
    assert "2, newest first" in text(
        viewer.part(f"wallets/{address(1)}/trades", mint="nonsense")
    )


def test_a_wallet_that_was_never_profiled_says_so(viewer: Person) -> None:
    Wallet.objects.create(address=address(1))
    words = text(viewer.page(f"wallets/{address(1)}/"))
    assert "not yet profiled" in words
    assert "No position is known yet." in words


@pytest.mark.parametrize("tail", ["", "trades"])
@pytest.mark.parametrize("path", [address(9), "nonsense"])
def test_an_unknown_wallet_is_404(path: str, tail: str, viewer: Person) -> None:
    assert viewer.page(f"wallets/{path}/{tail}").status_code == 404


def test_label_and_note_are_saved_with_who(operator: Person) -> None:
    WalletFactory(number=1, status="blacklisted")
    operator.send(
        f"wallets/{address(1)}/change", label="insider", note="moves\r\nfirst"
    )
    wallet = Wallet.objects.get()
    assert (wallet.label, wallet.note, wallet.status) == (
        "insider",
        "moves\nfirst",
        "blacklisted",
    )
    words = text(operator.page(f"wallets/{address(1)}/"))
    assert operator.user.username in words
    assert "label: empty → insider" in words


def test_a_label_saved_from_a_page_that_is_behind_leaves_anothers_note(
    operator: Person,
) -> None:
    WalletFactory(number=1, note="of ben", label="old")
    operator.send(
        f"wallets/{address(1)}/change",
        label="new",
        note="",
        was_label="old",
        was_note="",
    )
    wallet = Wallet.objects.get()
    assert (wallet.label, wallet.note) == ("new", "of ben")


def test_two_who_change_one_note_are_told(operator: Person) -> None:
    WalletFactory(number=1, note="of ben")
    form = {"label": "", "note": "mine", "was_label": "", "was_note": ""}
    answer = operator.client.post(
        f"/admin/discovery/wallets/{address(1)}/change", form, follow=True
    )
    assert Wallet.objects.get().note == "mine"
    assert "had been changed meanwhile: it was “of ben”" in text(answer)


def test_a_label_that_is_too_long_is_told_and_not_saved(operator: Person) -> None:
    WalletFactory(number=1)
    answer = operator.client.post(
        f"/admin/discovery/wallets/{address(1)}/change",
        {"label": "x" * 101},
        follow=True,
    )
    assert "at most 100 characters" in text(answer)
    assert Wallet.objects.get().label == ""


def test_a_profile_is_asked_for_once(operator: Person) -> None:
    WalletFactory(number=1)
    answer = operator.client.post(
        f"/admin/discovery/wallets/{address(1)}/profile", follow=True
    )
    assert "The next free worker profiles the wallet" in text(answer)
    assert "Refreshing profile" in text(answer)
    assert Wallet.objects.get().profile_requested_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_profile_that_the_queue_did_not_take_is_pending(
    operator: Person, monkeypatch
) -> None:
    WalletFactory(number=1)
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: False)
    answer = operator.client.post(
        f"/admin/discovery/wallets/{address(1)}/profile", follow=True
    )
    assert "Refreshing profile" in text(answer)


def test_a_request_that_an_earlier_version_lost_is_not_pending(
    operator: Person,
) -> None:
    WalletFactory(number=1, profile_requested_at=timezone.now())
    page = text(operator.page(f"wallets/{address(1)}/"))
    assert "Refresh profile" in page
    assert "Refreshing profile" not in page


@pytest.mark.parametrize("act", ["change", "profile", "tags", "pin", "blacklist"])
def test_a_viewer_changes_no_wallet(act: str, viewer: Person) -> None:
    WalletFactory(number=1)
    form = {"label": "x", "add": "x", "pinned": "on", "blacklisted": "on"}
    assert viewer.send(f"wallets/{address(1)}/{act}", **form).status_code == 403
    wallet = Wallet.objects.get()
    assert (wallet.label, wallet.tags, wallet.is_pinned) == ("", [], False)
    assert wallet.status == "active"
    assert (
        "<form"
        not in viewer.page(f"wallets/{address(1)}/")
        .content.decode()
        .split('class="wt"', 1)[1]
    )


def test_times_carry_their_zone(viewer: Person) -> None:
    WalletFactory(number=1)
    assert (
        NOW.isoformat().replace("+00:00", "Z")
        in viewer.page("wallets/").content.decode()
    )
