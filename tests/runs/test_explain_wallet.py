"""`explain_wallet`: a score opened down to the transactions it rests on."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from discovery.models import Trade, Wallet

UNKNOWN = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"


def explained(address: str) -> dict:
    out = io.StringIO()
    call_command("explain_wallet", address, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_every_counted_cycle_opens_to_trades_that_are_facts(
    use_market: Callable, discover: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    use_market("--world", "small", "--seed", "2")
    discover(profiles=True)
    best = Wallet.objects.filter(score__isnull=False).order_by("-score").first()
    assert best is not None
    answer = explained(best.address)
    assert answer["score"] == float(best.score)
    assert all(gate["passed"] for gate in answer["gates"])
    counted = [
        cycle
        for cycle in answer["cycles"]
        if not cycle["left_out"] and not cycle["is_seed"]
    ]
    assert len(counted) == best.resolved_cycles
    assert (
        sum(int(cycle["net_lamports"]) for cycle in counted)
        <= best.realised_lamports + 1
    )
    signatures = set(
        Trade.objects.filter(wallet_address=best.address).values_list(
            "signature", flat=True
        )
    )
    for cycle in counted:
        shown = [trade["signature"] for trade in cycle["trades"]]
        assert cycle["first_signature"] == shown[0]
        assert set(shown) <= signatures
    call_command("explain_wallet", best.address, "--trades")
    words = capsys.readouterr().out
    assert "breadth" in words
    assert counted[0]["first_signature"][:40] in words.replace("\n", "")


def test_a_wallet_off_the_watchlist_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="not on the watchlist") as told:
        call_command("explain_wallet", UNKNOWN)
    assert told.value.returncode == 1


def test_what_is_no_address_is_told() -> None:
    with pytest.raises(CommandError) as told:
        call_command("explain_wallet", "nonsense")
    assert told.value.returncode == 2
