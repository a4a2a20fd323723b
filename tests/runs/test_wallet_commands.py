"""`import_wallets` and `export_wallets`."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from discovery.models import RunStep, Wallet
from tests.factories import WalletFactory
from tests.wallet_addresses import wallet_address as wallet

pytestmark = pytest.mark.django_db
A, B = wallet(1), wallet(2)


def imported(path: object, *options: str) -> list[str]:
    out = io.StringIO()
    call_command(
        "import_wallets", str(path), *options, stdout=out, stderr=io.StringIO()
    )
    return out.getvalue().splitlines()


def exported(*options: str) -> str:
    out = io.StringIO()
    call_command("export_wallets", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(f"{A},whale\n\nrubbish\n{A}\n")
    return path


def test_every_line_is_answered(file: Path) -> None:
    assert [line.split() for line in imported(file)] == [
        ["1", "added", A],
        ["3", "invalid", "rubbish", "not", "a", "Solana", "address"],
        ["4", "duplicate", A, "listed", "before:", "number", "1"],
    ]
    assert Wallet.objects.get().origin == "import"


def test_a_summary_goes_to_standard_error(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_wallets", str(file))
    summary = (
        "1 added, 0 known, 1 invalid, 0 not a wallet, 1 duplicate; 1 profiles requested"
    )
    assert capsys.readouterr().err.strip() == summary


def test_tags_and_profiles_are_chosen_by_options(file: Path) -> None:
    imported(file, "--tag", "a b", "--tag", "c", "--no-profile")
    assert Wallet.objects.get().tags == ["a b", "c"]
    assert not RunStep.objects.exists()


def test_a_list_may_come_from_standard_input(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(A.encode())))
    assert imported("-")[0].split() == ["1", "added", A]


@pytest.mark.parametrize(
    ("text", "words"), [("rubbish", "no entry"), ("", "no entry"), ("[", "valid JSON")]
)
def test_a_list_without_a_usable_entry_is_exit_code_1(
    text: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "list"
    path.write_text(text)
    with pytest.raises(CommandError, match=words) as error:
        imported(path)
    assert error.value.returncode == 1


@pytest.mark.parametrize(
    "arguments", [("nowhere",), ("-", "--tag", ""), ("-", "--tag", "a", "--tag", "a")]
)
def test_a_wrong_option_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        imported(*arguments)
    assert error.value.returncode == 2


def test_an_exported_list_is_imported_as_it_was(tmp_path: Path) -> None:
    WalletFactory(address=A, label="=x", tags=["a b"], edge_low_pct=None)
    WalletFactory(address=B, edge_low_pct=None)
    WalletFactory(address=wallet(3), origin="control")
    before = exported("--format", "axiom")
    path = tmp_path / "axiom.json"
    path.write_text(before)
    Wallet.objects.all().delete()
    imported(path, "--no-profile")
    assert exported("--format", "axiom") == before


def test_an_export_may_be_narrowed(file: Path) -> None:
    WalletFactory(address=A, tags=["x"], verdict="follow")
    WalletFactory(address=B, tags=["x"], verdict="avoid")
    assert exported("--tag", "x", "--verdict", "follow") == f"{A}\n"
