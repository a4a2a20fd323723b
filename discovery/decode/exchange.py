"""The legs of a wallet that gave one token and got another."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from discovery.decode.counterparties import Counterparties
from discovery.decode.leg import FEE_DIVISOR, Leg, NoTrade
from discovery.domain.reasons import Reason
from discovery.domain.trades import Amount


def exchange_legs(
    sale: Amount,
    purchase: Amount,
    quote_changes: Mapping[str, int],
    others: Counterparties,
) -> list[Leg]:
    """Return the two legs, the sale first.

    quote_changes: quote -> raw units that the wallet gained or lost beside the tokens.
    It is one swap if there are none; two swaps if the market of each token shows its
    own quote and the difference is the wallet's. Raises NoTrade if the markets do not
    explain the changes.
    """
    received = _quote_of_markets(others, sale.mint, -1)
    paid = _quote_of_markets(others, purchase.mint, 1)
    if not quote_changes:
        return _one_swap(sale, purchase, received, paid)
    if received is None or paid is None:
        raise NoTrade(Reason.AMBIGUOUS)
    if not _are_explained(quote_changes, received, paid):
        raise NoTrade(Reason.AMBIGUOUS)
    return [
        Leg("sell", sale.mint, sale.units, received.mint, received.units),
        Leg("buy", purchase.mint, purchase.units, paid.mint, paid.units),
    ]


def _one_swap(
    sale: Amount, purchase: Amount, received: Amount | None, paid: Amount | None
) -> list[Leg]:
    """Return the two legs of a swap of tokens, with what passed between their markets as
    the value.

    What one market gave and the other got differ by the fees of both, and nobody can say
    whose they are: the sale brought what the second market got, the purchase cost what
    the first one gave.
    """
    brought = paid or received
    cost = received or paid
    return [
        _valued(Leg("sell", *sale, *purchase), brought),
        _valued(Leg("buy", *purchase, *sale), cost),
    ]


def _valued(leg: Leg, value: Amount | None) -> Leg:
    if value is None:
        return leg
    return msgspec.structs.replace(leg, value_mint=value.mint, value_units=value.units)


def _quote_of_markets(others: Counterparties, mint: str, sign: int) -> Amount | None:
    """Return the quote that the markets of a token gained (+1) or gave (-1) against it,
    None if that is no quote or several.
    """
    totals = others.quotes_by_market(mint, sign)
    if len(totals) != 1:
        return None
    ((quote, units),) = totals.items()
    return Amount(quote, units)


def _are_explained(changes: Mapping[str, int], received: Amount, paid: Amount) -> bool:
    """Return True if the changes are what one market gave less what the other one took,
    but for the fees of the venues.
    """
    expected = Counter({received.mint: received.units})
    expected[paid.mint] -= paid.units
    volume_units = max(received.units, paid.units)
    for mint in changes.keys() | expected.keys():
        difference = changes.get(mint, 0) - expected[mint]
        if abs(difference) * FEE_DIVISOR > volume_units:
            return False
    return True
