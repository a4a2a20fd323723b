"""The events of holdings as the score reads them."""

from collections.abc import Iterable, Mapping
from typing import Final

from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.histories import HistoryKind, TokenEvent, TradingHistory
from discovery.domain.units import round_if_known

_KINDS: Final[Mapping[EventKind, HistoryKind]] = {
    "buy": "buy",
    "sell": "sell",
    "transfer_in": "transfer_in",
    "transfer_out": "transfer_out",
    "burn": "burn",
    "unpriced_out": "disposal",
}
"""Units in open orders still belong to the wallet: their deposit and return are no
events.
"""


def trading_history(
    wallet: str,
    events: Mapping[str, Iterable[HoldingEvent]],
    holdings: Mapping[str, int | None],
    as_of: int,
) -> TradingHistory:
    """Return the history of a wallet that was read whole.

    events: by mint, in chain order. holdings: mint → lamports that the units held would
    bring, None = unknown. as_of: unix seconds.
    """
    own = [
        _token_event(mint, event)
        for mint, of_mint in events.items()
        for event in of_mint
        if event.kind in _KINDS
    ]
    return TradingHistory(
        wallet=wallet, as_of=as_of, events=own, holdings=dict(holdings)
    )


def _token_event(mint: str, event: HoldingEvent) -> TokenEvent:
    return TokenEvent(
        mint=mint,
        kind=_KINDS[event.kind],
        slot=event.slot,
        time=event.block_time,
        units=event.units,
        value_lamports=round_if_known(event.value_lamports),
        fees_lamports=event.extras_lamports,
        pool=event.market,
        signature=event.signature,
    )
