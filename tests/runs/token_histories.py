"""A token over histories made by hand: transactions by address, and a source of them."""

import json
from collections.abc import AsyncGenerator

from discovery.clients.transaction_history import OrderedTransaction
from discovery.domain.addresses import pump_curve
from discovery.domain.programs import PUMPFUN
from discovery.providers.records import AccountRecord
from discovery.providers.transactions import decode_record
from tests.fake_transactions import DEEP_UNITS as DEEP
from tests.fake_transactions import FakeTransaction, wallet

LAUNCH = 1_790_000_000
MINT = wallet("mint")
CURVE = pump_curve(MINT)
PORTION = 10
"""Transactions that are read forward at once."""


class TransactionSource:
    """Transactions by address; what each account holds now."""

    source = "helius"

    def __init__(self) -> None:
        self.lists: dict[str, list[OrderedTransaction]] = {}
        self.held: dict[str, int] = {}
        self.count = 0
        self.readings: list[str] = []
        self.is_silent_once = False
        self.portions: list[str] = []
        self.asked: list[str] = []

    def add(self, made: FakeTransaction, seconds: int, *addresses: str) -> None:
        self.count += 1
        record = made.record()
        record["transaction"]["signatures"] = [f"{self.count:088d}".replace("0", "A")]
        located = OrderedTransaction(
            LAUNCH + seconds,
            0,
            LAUNCH + seconds,
            decode_record(json.dumps(record).encode()),
        )
        for address in addresses:
            self.lists.setdefault(address, []).append(located)

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, most: int
    ) -> list[OrderedTransaction]:
        self.asked.append(address)
        return [
            located
            for located in self.lists.get(address, [])
            if (since is None or located.block_time >= since)
            and (until is None or located.block_time <= until)
        ]

    async def fetch_accounts(
        self, addresses: list[str], most: int, *, is_again: bool = False
    ) -> list[list[OrderedTransaction]]:
        self.readings += addresses
        if self.is_silent_once and not is_again:
            return [[] for _ in addresses]
        return [
            await self.fetch_range(address, None, None, most) for address in addresses
        ]

    async def read_forward(
        self, address: str, since: int | None, until: int | None
    ) -> AsyncGenerator[list[OrderedTransaction], None]:
        found = await self.fetch_range(address, since, until, 0)
        for first in range(0, len(found), PORTION):
            self.portions.append(address)
            yield found[first : first + PORTION]

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        return [
            AccountRecord("", 0, bytes(64) + self.held[address].to_bytes(8, "little"))
            if address in self.held
            else None
            for address in addresses
        ]


class NoPrices:
    async def load(self, times: object) -> None:
        raise AssertionError("nothing here is quoted in a stable")

    def at(self, time: int) -> None:
        return None


def trade(
    trader: str, before: int, after: int, lamports: int, *, market: str = CURVE
) -> FakeTransaction:
    """The trader's units go from `before` to `after` against a market for `lamports`."""
    made = (
        FakeTransaction(trader, venue=PUMPFUN)
        .pay(trader, lamports)
        .units(trader, MINT, before, after)
    )
    return made.units(market, MINT, DEEP, DEEP + before - after).pay(market, -lamports)
