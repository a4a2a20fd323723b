"""Decoding of every captured transaction, compared with independently computed
balances.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from discovery.decode.deltas import Deltas
from discovery.decode.outcomes import Decoded, Outcome, Skipped
from discovery.decode.swaps import decode_json
from discovery.domain.programs import STABLES, WRAPPED_SOL
from discovery.domain.reasons import Reason
from discovery.domain.trades import Trade
from discovery.providers.transactions import decode_record

# The script behind the index took its kind from the file's name; the balances show a
# route that ends in USDT.
MISLABELLED = {
    "4QvTLiNg48ecSdHQ": "LP-create",
    # A loop from USDC over tokens and SOL to USDC: the SOL that the wallet spent is a tip.
    "4EmApvbskh14aSi4": "SOL->stable",
    "5vBSx86kHFrhsbYj": "SOL->stable",
    # SOL for jitoSOL: staked SOL is no position in a token.
    "3tkw3dz8aYngKfKc": "sell(SOL)",
}


@pytest.fixture(scope="module")
def expected(realdata: Path) -> dict[str, dict]:
    return json.loads((realdata / "expected/balance_deltas.json").read_text())


@pytest.fixture(scope="module")
def kinds(realdata: Path) -> dict[str, str]:
    """First 16 characters of the signature -> its approximate kind in the index."""
    rows = re.findall(
        r"^\| ([1-9A-Za-z]{16})\.json \| \S+ \| [^|]+ \| ([^|]+) \|",
        (realdata / "INDEX.md").read_text(),
        re.M,
    )
    return {name: kind.strip() for name, kind in rows}


@pytest.fixture(scope="module")
def outcomes(realdata: Path) -> dict[str, Outcome]:
    return {
        path.stem: decode_json(path.read_bytes())
        for path in sorted((realdata / "transactions/rpc").glob("*.json"))
    }


def trades(outcome: Outcome) -> tuple[Trade, ...]:
    return outcome.trades if isinstance(outcome, Decoded) else ()


def test_token_and_lamport_changes_of_every_owner_are_exact(
    realdata: Path, expected: dict[str, dict]
) -> None:
    compared = 0
    for path in (realdata / "transactions/rpc").glob("*.json"):
        record = decode_record(path.read_bytes())
        truth = expected[record.signature]
        if truth["failed"]:
            continue
        assert record.meta is not None
        deltas = Deltas(record, record.meta)
        assert set(deltas.signers) == set(truth["signers"]), path.name
        for owner, row in truth["owners"].items():
            moved = {
                mint: units
                for mint, units in deltas.by_owner.get(owner, {}).items()
                if units
            }
            assert moved == {
                mint: int(units) for mint, units in row["mints"].items() if int(units)
            }, (path.name, owner)
            if row["native_lamports_delta"] is not None:
                assert deltas.native_lamports(owner) == int(
                    row["native_lamports_delta"]
                ), (path.name, owner)
                assert deltas.sol_lamports(owner) == int(row["net_sol_lamports"]), (
                    path.name,
                    owner,
                )
            if not owner.startswith("unknown-owner:"):
                assert deltas.rent_lamports(owner) == int(
                    row["token_account_rent_lamports"]
                ), (path.name, owner)
            compared += 1
        silent = {
            owner for owner, mints in deltas.by_owner.items() if any(mints.values())
        } - set(truth["owners"])
        assert not silent, path.name
    assert compared > 500


def test_no_record_fails_to_decode(outcomes: dict[str, Outcome]) -> None:
    assert (
        Counter(type(outcome).__name__ for outcome in outcomes.values())["Failed"] == 0
    )
    assert len(outcomes) >= 225


def test_only_failed_transactions_are_skipped_as_failed(
    outcomes: dict[str, Outcome], expected: dict[str, dict]
) -> None:
    failed = {signature[:16] for signature, row in expected.items() if row["failed"]}
    skipped = {
        name
        for name, outcome in outcomes.items()
        if getattr(outcome, "reason", None) == Reason.FAILED_TRANSACTION
    }
    assert skipped == failed & outcomes.keys()
    assert len(skipped) >= 22


def test_every_trade_moves_exactly_what_the_wallet_lost_and_gained(
    outcomes: dict[str, Outcome], expected: dict[str, dict]
) -> None:
    for outcome in outcomes.values():
        for trade in trades(outcome):
            row = expected[trade.signature]["owners"][trade.wallet]
            sign = 1 if trade.side == "buy" else -1
            assert int(row["mints"][trade.mint]) == sign * trade.token_units, (
                trade.signature
            )
            if trade.quote_mint in STABLES:
                assert (
                    int(row["mints"][trade.quote_mint]) == -sign * trade.quote_units
                ), trade.signature


def test_a_sol_trade_accounts_for_every_lamport_of_the_wallet(
    outcomes: dict[str, Outcome], expected: dict[str, dict]
) -> None:
    seen = 0
    for outcome in outcomes.values():
        for trade in trades(outcome):
            if trade.quote_mint != WRAPPED_SOL:
                continue
            net = int(
                expected[trade.signature]["owners"][trade.wallet]["net_sol_lamports"]
            )
            quote = -trade.quote_units if trade.side == "buy" else trade.quote_units
            explained = (
                quote
                - trade.extras_lamports
                - trade.rent_lamports
                + trade.transfer_lamports
                + trade.unreconciled_lamports
            )
            assert net == explained, trade.signature
            seen += 1
    assert seen >= 60


def test_every_clear_buy_and_sell_is_decoded(
    outcomes: dict[str, Outcome], expected: dict[str, dict], kinds: dict[str, str]
) -> None:
    """Clear: the index names it a buy or sell, and the token is not one piece of a mint
    without decimals.
    """
    missed, clear = [], 0
    for name, outcome in outcomes.items():
        kind = kinds[name]
        side = (
            "buy"
            if kind.startswith("buy(") or "dev-buy" in kind
            else "sell"
            if kind.startswith("sell(")
            else ""
        )
        if not side:
            continue
        if name in MISLABELLED:
            assert not trades(outcome), name
            continue
        signature = next(s for s in expected if s.startswith(name))
        pieces = [
            (mint, units)
            for owner in expected[signature]["owners"].values()
            for mint, units in owner["mints"].items()
            if owner["decimals"].get(mint) == 0 and abs(int(units)) == 1
        ]
        if pieces:
            assert not trades(outcome), name
            continue
        clear += 1
        if side not in {trade.side for trade in trades(outcome)}:
            missed.append((name, kind, str(getattr(outcome, "reason", ""))))
    assert not missed
    assert clear >= 60


def test_token_to_token_is_a_sell_and_a_buy_quoted_in_each_other(
    outcomes: dict[str, Outcome], kinds: dict[str, str]
) -> None:
    swaps = [
        trades(outcome)
        for name, outcome in outcomes.items()
        if kinds[name] == "token-token"
    ]
    assert len(swaps) == 11
    for sold, bought in swaps:
        assert (sold.side, bought.side) == ("sell", "buy")
        assert (sold.mint, sold.token_units) == (bought.quote_mint, bought.quote_units)
        assert (bought.mint, bought.token_units) == (sold.quote_mint, sold.quote_units)
        assert bought.extras_lamports == bought.rent_lamports == 0


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        (
            "LP-",
            {
                Reason.LIQUIDITY,
                Reason.TRANSFER,
                Reason.NO_TOKEN_CHANGE,
                Reason.NO_WALLET,
                Reason.NFT,
            },
        ),
        ("nft", {Reason.NFT, Reason.NO_TOKEN_CHANGE, Reason.NO_WALLET}),
        ("transfer", {Reason.TRANSFER, Reason.NO_TOKEN_CHANGE, Reason.NO_WALLET}),
        ("stake", {Reason.NO_TOKEN_CHANGE, Reason.MINTED}),
        ("bridge", {Reason.NO_TOKEN_CHANGE}),
        ("admin", {Reason.NO_TOKEN_CHANGE}),
        ("arb/loop", {Reason.ARBITRAGE}),
        ("SOL->stable", {Reason.QUOTE_CONVERSION}),
        ("stable->SOL", {Reason.QUOTE_CONVERSION}),
        ("stable-stable", {Reason.QUOTE_CONVERSION}),
        ("dca-fill(keeper)", {Reason.KEEPER_FILL}),
        ("limit-order-fill(keeper)", {Reason.KEEPER_FILL}),
        (
            "limit-order",
            {Reason.ORDER_OPEN, Reason.ORDER_CLOSED, Reason.KEEPER_FILL},
        ),
        (
            "dca-open/close",
            {Reason.ORDER_OPEN, Reason.ORDER_CLOSED, Reason.NO_TOKEN_CHANGE},
        ),
        ("token-create", {Reason.NO_WALLET}),
    ],
)
def test_a_transaction_without_a_swap_is_skipped_with_its_reason(
    kind: str, reasons: set[Reason], outcomes: dict[str, Outcome], kinds: dict[str, str]
) -> None:
    of_kind = {
        name: outcome
        for name, outcome in outcomes.items()
        if (
            kinds[name] == kind
            or (kind in {"LP-", "nft"} and kinds[name].startswith(kind))
        )
        and name not in MISLABELLED
    }
    assert of_kind
    for name, outcome in of_kind.items():
        assert isinstance(outcome, Skipped), (name, outcome)
        assert outcome.reason in reasons, (name, outcome.reason)


def test_both_encodings_of_a_transaction_decode_alike(
    realdata: Path, outcomes: dict[str, Outcome]
) -> None:
    variants = list((realdata / "transactions/rpc_jsonparsed_variants").glob("*.json"))
    assert variants
    for path in variants:
        assert trades(decode_json(path.read_bytes())) == trades(outcomes[path.stem]), (
            path.name
        )


def test_the_captures_include_legacy_and_versioned_messages(realdata: Path) -> None:
    versions = {
        json.loads(path.read_bytes()).get("version", "legacy")
        for path in (realdata / "transactions/rpc").glob("*.json")
    }
    assert {"legacy", 0} <= versions
