"""The page that adds wallets: the list, the answers, the progress of the profiles."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from discovery.admin.pages import add_wallets
from discovery.models import RunStep, Wallet
from discovery.reads.wallet_history import wallet_changes
from tests.factories import NOW, WalletFactory
from tests.pages.conftest import Person
from tests.pages.content import text
from tests.wallet_addresses import wallet_address as wallet

pytestmark = pytest.mark.django_db
A, B, C = wallet(1), wallet(2), wallet(3)


def test_a_pasted_list_is_answered_line_by_line(operator: Person) -> None:
    WalletFactory(address=B)
    answer = operator.send("wallets/add/list", wallets=f"{A},whale\n{B}\nrubbish\n{A}")
    words = text(answer)
    for part in (
        f"1 check_circle added {A}",
        f"2 info known {B}",
        "3 cancel invalid rubbish not a Solana address",
        f"4 content_copy duplicate {A} listed before: number 1",
    ):
        assert part in words
    assert re.search(
        r"Result 1 check_circle added 1 info known 1 cancel invalid", words
    )
    row = Wallet.objects.get(pk=A)
    assert (row.label, row.origin) == ("whale", "manual")
    assert wallet_changes(A)[0].by == operator.user.username


def test_a_file_is_read_and_its_wallets_are_imported(operator: Person) -> None:
    items = [{"trackedWalletAddress": A, "name": "whale", "groups": ["g"]}]
    file = SimpleUploadedFile("axiom.json", json.dumps(items).encode())
    operator.send("wallets/add/list", file=file, tags="x, y z", wallets="")
    row = Wallet.objects.get()
    assert (row.origin, row.tags) == ("import", ["g", "x", "y z"])


def test_profiles_are_requested_if_the_switch_is_on(operator: Person) -> None:
    assert "No profile was requested" in text(
        operator.send("wallets/add/list", wallets=A)
    )
    words = text(operator.send("wallets/add/list", wallets=B, profile="on"))
    assert "0 of 1 profiled · 1 pending" in words
    assert [step.key for step in RunStep.objects.all()] == [B]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "paste a list or choose a file."),
        ({"wallets": " \n"}, "paste a list or choose a file."),
        ({"wallets": A, "file": SimpleUploadedFile("x", b"x")}, "not both"),
        ({"file": SimpleUploadedFile("x", b"\xff\xfa")}, "not text in UTF-8"),
        ({"file": SimpleUploadedFile("x", b"x" * 5_000_001)}, "5,000,001 bytes"),
        ({"wallets": "x\n" * 10_001}, "more than 10,000 entries"),
        ({"wallets": "[\n]]"}, "line 2, column 2"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(
    form: dict, words: str, operator: Person
) -> None:
    answer = operator.send("wallets/add/list", **form)
    assert answer.status_code == 200
    assert words in text(answer)
    assert not Wallet.objects.exists()


def test_without_the_script_the_answer_is_a_whole_page_that_keeps_the_text(
    operator: Person,
) -> None:
    answer = operator.client.post("/admin/discovery/wallets/add/list", {"wallets": "["})
    assert "Nothing added" in text(answer)
    assert ">[</textarea>" in answer.content.decode()


def test_markup_in_a_list_is_harmless(operator: Person) -> None:
    answer = operator.send("wallets/add/list", wallets="<b>x</b>,y").content.decode()
    assert "<b>x</b>" not in answer
    assert "&lt;b&gt;x&lt;/b&gt;" in answer


def test_of_a_long_list_the_entries_that_need_attention_are_shown(
    operator: Person, monkeypatch
) -> None:
    monkeypatch.setattr(add_wallets, "MAX_SHOWN", 2)
    words = text(operator.send("wallets/add/list", wallets=f"{A}\n{B}\n{C}\nrubbish"))
    assert "4 cancel invalid rubbish" in words
    assert "2 more are not shown" in words
    assert C not in words


def test_the_progress_is_polled_until_every_profile_has_ended(
    operator: Person, viewer: Person
) -> None:
    page = operator.send(
        "wallets/add/list", wallets=f"{A}\n{B}", profile="on"
    ).content.decode()
    (path,) = re.findall(r'hx-get="/admin/discovery/(wallets/add/\w+/progress)"', page)
    RunStep.objects.filter(key=A).update(status="done", completed_at=timezone.now())
    Wallet.objects.filter(pk=A).update(profiled_at=NOW)
    half = viewer.part(path)
    assert "1 of 2 profiled · 1 pending" in text(half)
    assert "every 2s" in half.content.decode()
    RunStep.objects.update(status="failed", completed_at=timezone.now())
    Wallet.objects.filter(pk=B).update(profile_error="unreachable")
    end = viewer.part(path)
    assert "1 failed" in text(end)
    assert "hx-get" not in end.content.decode()


@pytest.mark.parametrize("addition", ["x", "20261124T120000000000Z"])
def test_an_unknown_addition_is_404(addition: str, viewer: Person) -> None:
    assert viewer.part(f"wallets/add/{addition}/progress").status_code == 404


def test_a_viewer_adds_nothing(viewer: Person) -> None:
    assert "your account may only read" in text(viewer.page("wallets/add/"))
    assert viewer.send("wallets/add/list", wallets=A).status_code == 403
    assert "Add wallets" not in text(viewer.page("wallets/"))
    assert not Wallet.objects.exists()
