"""Adding lists of wallets: what becomes of each entry, in the tables and in words."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from discovery import watchlist
from discovery.domain.wallet_lists import parse_list
from discovery.models import RunStep, Wallet
from discovery.models.enums import StepKind, WalletOrigin
from discovery.reads.additions import addition_progress, parse_addition_id
from discovery.reads.wallet_history import wallet_changes
from tests.factories import NOW, RunFactory, RunTokenFactory, WalletFactory
from tests.wallet_addresses import wallet_address as wallet

pytestmark = pytest.mark.django_db
A, B, C = wallet(1), wallet(2), wallet(3)


def add(text: str, **options) -> watchlist.Addition:
    options = {"by": "ana", "origin": WalletOrigin.MANUAL, **options}
    return watchlist.add_wallets(parse_list(text), **options)


def results(text: str, **options) -> list[tuple[str, str]]:
    return [(row.result, row.reason) for row in add(text, **options).answers]


def test_new_wallets_are_added_with_label_tags_and_origin() -> None:
    added = add(f"{A},whale\n{B}", tags=["x"], origin=WalletOrigin.IMPORT)
    assert {str(name): count for name, count in added.counts.items() if count} == {
        "added": 2
    }
    row = Wallet.objects.get(pk=A)
    assert (row.label, row.tags, row.origin) == ("whale", ["x"], "import")
    assert (row.status, row.discovery_count) == ("insufficient_data", 0)


def test_the_history_names_the_author() -> None:
    add(f"{A},whale", tags=["x"], by="robot")
    (change,) = wallet_changes(A)
    assert change.by == "robot"
    assert change.changes == ["status: insufficient_data", "label: whale", "tags: x"]


def test_a_known_wallet_keeps_its_label_and_its_tags() -> None:
    WalletFactory(address=A, label="mine", tags=["own"])
    text = f"address,name,tags\n{A},other,theirs\n"
    assert results(text) == [("known", "")]
    row = Wallet.objects.get()
    assert (row.label, row.tags, row.origin) == ("mine", ["own"], "discovery")


def test_what_a_known_wallet_lacks_is_filled_and_told() -> None:
    WalletFactory(address=A)
    text = f"address,name,tags\n{A},whale,a;b\n"
    assert results(text) == [("known", "label set to “whale”; tags added: a, b")]
    row = Wallet.objects.get()
    assert (row.label, row.tags) == ("whale", ["a", "b"])
    assert wallet_changes(A)[0].by == "ana"


def test_a_tag_for_the_whole_list_is_added_to_known_wallets_too() -> None:
    WalletFactory(address=A, tags=["own"])
    assert results(A, tags=["x"]) == [("known", "tags added: x")]
    assert Wallet.objects.get().tags == ["own", "x"]


def test_adding_a_list_again_changes_nothing() -> None:
    add(f"{A},whale", tags=["x"])
    count = Wallet.history.count()
    again = add(f"{A},whale", tags=["x"])
    assert [row.result for row in again.answers] == ["known"]
    assert again.id is None
    assert Wallet.history.count() == count


def test_a_control_wallet_becomes_a_listed_one_and_counts_as_added() -> None:
    WalletFactory(address=A, origin="control")
    added = add(f"{A},whale")
    assert [row.result for row in added.answers] == ["added"]
    row = Wallet.objects.listed().get()
    assert (row.origin, row.label) == ("manual", "whale")
    assert added.id is not None
    assert addition_progress(parse_addition_id(added.id)).wallets == 1


def test_a_token_of_a_run_is_no_wallet() -> None:
    RunTokenFactory(run=RunFactory(), mint=A)
    assert results(f"{A}\n{B}") == [
        ("not_a_wallet", "a token that a run analysed"),
        ("added", ""),
    ]


def test_a_list_without_a_usable_entry_adds_nothing() -> None:
    added = add("rubbish\nmore rubbish")
    assert (added.id, added.usable, added.profiles_requested) == (None, 0, 0)
    assert not Wallet.objects.exists()


def test_each_wallet_that_is_added_gets_one_request_for_a_profile() -> None:
    WalletFactory(address=C)
    assert add(f"{A}\n{B}\n{C}").profiles_requested == 2
    steps = RunStep.objects.filter(kind=StepKind.PROFILE).values_list("key", flat=True)
    assert set(steps) == {A, B}
    assert Wallet.objects.get(pk=A).profile_requested_at is not None


def test_a_pending_request_is_not_repeated() -> None:
    RunStep.objects.create(kind=StepKind.PROFILE, key=A)
    add(f"{A}\n{B}")
    assert RunStep.objects.filter(kind=StepKind.PROFILE).count() == 2


def test_profiles_are_requested_only_if_they_are_wanted() -> None:
    assert add(A, profile=False).profiles_requested == 0
    assert not RunStep.objects.exists()


def test_the_progress_counts_profiled_pending_and_failed_wallets() -> None:
    added = add(f"{A}\n{B}\n{C}")
    RunStep.objects.filter(key__in=[A, B]).update(
        status="done", completed_at=timezone.now()
    )
    Wallet.objects.filter(pk=A).update(profiled_at=NOW)
    Wallet.objects.filter(pk=B).update(profile_error="unreachable")
    assert added.id is not None
    progress = addition_progress(parse_addition_id(added.id))
    assert (progress.wallets, progress.profiled, progress.failed) == (3, 1, 1)
    assert (progress.pending, progress.not_requested, progress.pct) == (1, 0, 66)


def test_the_progress_is_that_of_one_list() -> None:
    add(A)
    added = add(B, profile=False)
    assert added.id is not None
    progress = addition_progress(parse_addition_id(added.id))
    assert (progress.wallets, progress.not_requested) == (1, 1)


def test_an_unknown_addition_is_told() -> None:
    with pytest.raises(Wallet.DoesNotExist):
        addition_progress(timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    "text", ["", "yesterday", "20261301T000000000000Z", "20261101T0Z"]
)
def test_an_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_addition_id(text)


def test_a_long_list_needs_as_many_queries_as_a_short_one() -> None:
    counts = []
    for first, count in ((0, 4), (100, 400)):
        numbers = range(first, first + count)
        for number in numbers[::4]:
            WalletFactory(address=wallet(number + 5000))
            WalletFactory(address=wallet(number + 6000), origin="control")
        listed = [wallet(number) for number in numbers]
        listed += [wallet(number + 5000) for number in numbers[::4]]
        listed += [wallet(number + 6000) for number in numbers[::4]]
        with CaptureQueriesContext(connection) as queries:
            added = add("\n".join(listed), tags=["x"])
        assert added.usable == len(listed)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_a_list_that_collides_with_a_run_is_tried_again(monkeypatch) -> None:
    merge = watchlist._merge
    calls = []

    def merge_before_the_run(request: watchlist._Request) -> watchlist._Merge:
        merged = merge(request)
        if not calls:
            WalletFactory(address=A)
        calls.append(request)
        return merged

    monkeypatch.setattr(watchlist, "_merge", merge_before_the_run)
    assert results(f"{A}\n{B}") == [("added", ""), ("added", "")]
    assert len(calls) == 2
