"""`manage.py report`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from discovery.models import Config
from tests.forward_rows import create_record

pytestmark = pytest.mark.django_db


def test_the_report_of_a_record_is_sentence_and_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_record(wallets=12, tokens=30)
    call_command("report")
    printed = capsys.readouterr().out
    assert "Following these wallets with 0.5 SOL" in " ".join(printed.split())
    for head in ("followed", "control", "all days", "version 2", "predicted %"):
        assert head in printed
    assert "Claim: followed wallets bring more" in printed


def test_a_report_without_a_trade_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("report", "--horizon", "720")
    printed = capsys.readouterr().out
    assert "Measured 30 d after the judgement" in printed
    assert "10 more control wallets, 10 more tokens and 30 more trades" in printed
    assert "three days with a known median early buyer" in printed
    assert "Outcomes: none is planned yet." in printed
    assert "+0.0" not in printed


def test_a_report_without_control_wallets_says_so(
    capsys: pytest.CaptureFixture[str], config: Config
) -> None:
    Config.objects.update(control_wallets=0)
    call_command("report")
    assert "nothing new can be proved" in capsys.readouterr().out


def test_a_report_as_json_has_the_horizon() -> None:
    out = StringIO()
    call_command("report", "--json", "--horizon", "336", stdout=out)
    body = json.loads(out.getvalue())
    assert (body["horizon_hours"], body["lift"]["lift_stakes"]) == (336, None)


def test_another_horizon_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("report", "--horizon", "5")
