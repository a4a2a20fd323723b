"""Rows of balances before and after a transaction become token accounts."""

import json
from typing import Any

from discovery.decode.deltas import Deltas
from discovery.domain.trades import AccountUnits
from discovery.providers.transactions import decode_record
from tests.decode.fake_swaps import ANA, BEN, HOP, MINT, POOL
from tests.fake_transactions import FakeTransaction


def deltas_of(json_record: dict[str, Any]) -> Deltas:
    record = decode_record(json.dumps(json_record).encode())
    assert record.meta is not None
    return Deltas(record, record.meta)


def moved_to_pool() -> dict[str, Any]:
    fake = FakeTransaction(ANA).units(ANA, MINT, 70, 30).units(POOL, MINT, 5, 45)
    return fake.record()


def units_of(accounts: tuple[AccountUnits, ...]) -> list[tuple[int, int]]:
    return [(account.before_units, account.after_units) for account in accounts]


def test_rows_before_and_after_are_one_account() -> None:
    deltas = deltas_of(moved_to_pool())
    assert deltas.by_owner == {ANA: {MINT: -40}, POOL: {MINT: 40}}
    assert deltas.program_owners == {POOL: {MINT: 40}}
    assert units_of(deltas.accounts_of(ANA, MINT)) == [(70, 30)]
    assert deltas.sole_market(MINT, ANA) == POOL
    assert deltas.sole_market(HOP, ANA) is None


def test_an_account_that_changed_hands_left_one_owner_and_came_to_the_other() -> None:
    record = moved_to_pool()
    record["meta"]["postTokenBalances"][0]["owner"] = BEN
    deltas = deltas_of(record)
    assert deltas.by_owner == {ANA: {MINT: -70}, POOL: {MINT: 40}, BEN: {MINT: 30}}
    assert units_of(deltas.accounts_of(ANA, MINT)) == [(70, 0)]
    assert units_of(deltas.accounts_of(BEN, MINT)) == [(0, 30)]


def test_an_account_that_was_opened_again_for_another_mint_has_both() -> None:
    record = moved_to_pool()
    record["meta"]["postTokenBalances"][0]["mint"] = HOP
    deltas = deltas_of(record)
    assert deltas.by_owner == {ANA: {MINT: -70, HOP: 30}, POOL: {MINT: 40}}


def test_two_rows_of_one_account_both_count() -> None:
    record = moved_to_pool()
    rows = record["meta"]["postTokenBalances"]
    rows.append(rows[0])
    deltas = deltas_of(record)
    assert deltas.by_owner == {ANA: {MINT: -10}, POOL: {MINT: 40}}
