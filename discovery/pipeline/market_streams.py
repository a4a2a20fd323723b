"""The markets of a token read forward together, in the order of the chain, so that the
reader can stop where it has seen enough.
"""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from discovery.clients.transaction_history import OrderedTransaction
from discovery.providers.concurrency import gather_or_cancel

Portions = AsyncGenerator[list[OrderedTransaction], None]


class Located(NamedTuple):
    """A transaction and the number of the list that it came from."""

    transaction: OrderedTransaction
    list_number: int


class MarketStream:
    """The transactions of one market, oldest first, fetched portion by portion."""

    def __init__(self, portions: Portions) -> None:
        self._parts = [portions]
        self._waiting: deque[OrderedTransaction] = deque()

    def continue_with(self, portions: Portions) -> None:
        """Go on with these portions after those before."""
        self._parts.append(portions)

    async def head(self) -> OrderedTransaction | None:
        """Return the next transaction without taking it, None at the end. Raises
        ProviderError.
        """
        while not self._waiting and self._parts:
            portion = await anext(self._parts[0], None)
            if portion is None:
                self._parts.pop(0)
            else:
                self._waiting.extend(portion)
        return self._waiting[0] if self._waiting else None

    def take(self) -> OrderedTransaction:
        """Take the transaction that `head` returned. Raises IndexError without one."""
        return self._waiting.popleft()

    async def first_with_mint(self, mint: str) -> OrderedTransaction | None:
        """Return the first transaction with units of the mint, None without one; nothing
        is taken. Anybody may send lamports to an address before. Raises ProviderError.
        """
        passed: list[OrderedTransaction] = []
        found: OrderedTransaction | None = None
        while found is None and await self.head() is not None:
            passed.append(self.take())
            balances = passed[-1].record.post_token_balances
            if any(balance.mint == mint for balance in balances):
                found = passed[-1]
        self._waiting.extendleft(reversed(passed))
        return found

    async def close(self) -> None:
        """Fetch nothing more."""
        for part in self._parts:
            await part.aclose()


async def in_chain_order(
    streams: Sequence[MarketStream],
) -> AsyncGenerator[Located, None]:
    """Yield the transactions of all streams by slot; those of one slot in the order of
    the streams. Raises ProviderError.
    """
    heads = await gather_or_cancel(stream.head() for stream in streams)
    open_heads = {number: head for number, head in enumerate(heads) if head is not None}
    while open_heads:
        number = min(open_heads, key=lambda each: (open_heads[each].slot, each))
        yield Located(streams[number].take(), number)
        head = await streams[number].head()
        if head is None:
            del open_heads[number]
        else:
            open_heads[number] = head
