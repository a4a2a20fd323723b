"""What operators say of a wallet: tags, a pin, the blacklist; and where it shows."""

import re

import pytest

from discovery.models import Wallet
from tests.factories import WalletFactory, address
from tests.pages.conftest import Person
from tests.pages.content import text
from tests.pages.test_wallets import shown

pytestmark = pytest.mark.django_db
PATH = f"wallets/{address(1)}/"


def test_tags_are_added_and_removed(operator: Person) -> None:
    WalletFactory(number=1, tags=["old"])
    operator.send(f"{PATH}tags", add="a b, c;a b")
    assert Wallet.objects.get().tags == ["old", "a b", "c"]
    operator.send(f"{PATH}tags", remove="old")
    assert Wallet.objects.get().tags == ["a b", "c"]
    words = text(operator.page(PATH))
    assert "tags: old, a b, c → a b, c" in words


def test_a_tag_leads_to_the_wallets_that_have_it(viewer: Person) -> None:
    WalletFactory(number=1, tags=["a/b & c"])
    WalletFactory(number=2)
    for path in (PATH, "wallets/"):
        assert 'href="?tag=a%2Fb%20%26%20c"' in viewer.page(
            path
        ).content.decode().replace("/admin/discovery/wallets/?", "?")
    assert shown(viewer, tag="a/b & c") == [address(1)]


def test_a_wallet_is_pinned_and_unpinned(operator: Person) -> None:
    WalletFactory(number=1)
    operator.send(f"{PATH}pin", pinned="on")
    assert Wallet.objects.get().is_pinned
    assert "Unpin" in text(operator.page(PATH))
    assert 'aria-label="Pinned"' in operator.page("wallets/").content.decode()
    operator.send(f"{PATH}pin", pinned="")
    assert not Wallet.objects.get().is_pinned


def test_a_wallet_is_blacklisted_with_a_reason_and_who(operator: Person) -> None:
    WalletFactory(number=1)
    operator.send(f"{PATH}blacklist", blacklisted="on", reason="sells to itself")
    wallet = Wallet.objects.get()
    assert (wallet.status, wallet.blacklist_reason) == (
        "blacklisted",
        "sells to itself",
    )
    words = text(operator.page(PATH))
    assert "status: active → blacklisted; reason: empty → sells to itself" in words
    assert operator.user.username in words


def test_off_the_blacklist_a_wallet_is_what_its_record_says(operator: Person) -> None:
    WalletFactory(
        number=1, status="blacklisted", blacklist_reason="x", profiled_at=None
    )
    operator.send(f"{PATH}blacklist", blacklisted="")
    wallet = Wallet.objects.get()
    assert (wallet.status, wallet.blacklist_reason) == ("insufficient_data", "")


@pytest.mark.parametrize("act", ["tags", "pin", "blacklist"])
def test_a_control_wallet_cannot_be_changed(act: str, operator: Person) -> None:
    WalletFactory(number=1, origin="control")
    form = {"add": "x", "pinned": "on", "blacklisted": "on"}
    assert operator.send(f"{PATH}{act}", **form).status_code == 404


def test_control_wallets_are_on_no_page(operator: Person) -> None:
    WalletFactory(number=1, origin="control", tags=["secret"])
    WalletFactory(number=2)
    assert shown(operator) == [address(2)]
    assert "secret" not in text(operator.page("wallets/"))
    for tail in ("", "tokens", "trades", "coverage/"):
        assert operator.page(f"{PATH}{tail}").status_code == 404


def test_pinned_wallets_stand_first_in_the_default_order(viewer: Person) -> None:
    for number in range(4):
        WalletFactory(number=number, edge_low_pct=10 - number, is_pinned=number > 1)
    assert shown(viewer) == [address(number) for number in (2, 3, 0, 1)]
    assert shown(viewer, ordering="-score")[:2] == sorted([address(0), address(1)])


@pytest.mark.parametrize("pinned_count", [0, 3, 25, 26, 30, 55])
def test_pages_with_pinned_wallets_hold_every_wallet_once(
    pinned_count: int, viewer: Person
) -> None:
    for number in range(60):
        WalletFactory(
            number=number,
            is_pinned=number % 60 < pinned_count,
            edge_low_pct=number,
        )
    pages = [shown(viewer, page=str(page)) for page in (1, 2, 3)]
    assert list(map(len, pages)) == [25, 25, 10]
    pinned = [address(number) for number in range(pinned_count)]
    others = [address(number) for number in range(pinned_count, 60)]
    assert [*pages[0], *pages[1], *pages[2]] == [*reversed(pinned), *reversed(others)]


def test_a_list_without_tags_offers_none_to_filter_by(viewer: Person) -> None:
    WalletFactory(number=1)
    assert 'name="tag"' not in viewer.page("wallets/").content.decode()
    Wallet.objects.update(tags=["b", "a"])
    page = viewer.page("wallets/").content.decode()
    assert re.findall(r'<option value="(a|b)"', page) == ["a", "b"]


def test_the_origin_is_a_filter_and_a_fact(viewer: Person) -> None:
    WalletFactory(number=1, origin="import", discovery_count=0)
    WalletFactory(number=2)
    assert shown(viewer, origin="import") == [address(1)]
    assert "from a list" in text(viewer.page(PATH))


def test_the_list_is_exported_for_every_terminal(viewer: Person) -> None:
    WalletFactory(number=1, tags=["x"])
    page = viewer.page("wallets/", tag="x").content.decode()
    links = re.findall(r'href="(/api/discovery/wallets\?[^"]+)"', page)
    assert len(links) == 8
    for link in links:
        answer = viewer.client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert address(1) in b"".join(answer).decode()
