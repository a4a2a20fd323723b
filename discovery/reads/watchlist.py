"""The watchlist as the page shows it and as terminals import it."""

from collections.abc import Iterator
from typing import Final

from django.db.models import F, Func, QuerySet, TextField

from discovery.domain.wallet_formats import ExportedWallet
from discovery.models import Wallet
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.wallets import WalletRow, wallet_columns, wallet_row

MAX_TAGS_IN_USE: Final = 500


def pinned_first(rows: "QuerySet[Wallet]", page: Page) -> Slice[WalletRow]:
    """Return a page of the watchlist with the pinned wallets before the others, each
    part in the order of `rows`. Four queries at most: each part is read in its own
    order, so that an index serves the long one.
    """
    total = paging.count(rows)
    pinned, others = rows.filter(is_pinned=True), rows.filter(is_pinned=False)
    pinned_count = paging.count(pinned)
    start = (page.number - 1) * page.size
    end = start + page.size + 1
    found = list(wallet_columns(pinned)[start:end]) if start < pinned_count else []
    if end > pinned_count:
        first = max(0, start - pinned_count)
        found += wallet_columns(others)[first : end - pinned_count]
    shown = [wallet_row(row) for row in found[: page.size]]
    return Slice(shown, total, more=len(found) > page.size)


def tags_in_use() -> list[str]:
    """Return the tags of the watchlist by name, MAX_TAGS_IN_USE at most. One query."""
    tags = Func(
        F("tags"), function="jsonb_array_elements_text", output_field=TextField()
    )
    tagged = Wallet.objects.listed().exclude(tags=[]).annotate(tag=tags)
    names = tagged.order_by("tag").values_list("tag", flat=True).distinct()
    return list(names[:MAX_TAGS_IN_USE])


def exported_wallets(rows: "QuerySet[Wallet]") -> Iterator[ExportedWallet]:
    """Yield every row for a list in a terminal's format, as `wallet_export` does."""
    named = rows.values_list("address", "label", "tags")
    for address, label, tags in named.iterator(chunk_size=paging.EXPORT_CHUNK):
        yield ExportedWallet(address, label, tuple(tags))
