"""The watchlist, and one wallet with the evidence behind its score."""

from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from discovery import services
from discovery.admin.pages.access import (
    CHANGE_WALLETS,
    START_RUNS,
    VIEW_WALLETS,
    redirect_to,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.paging import fetch_page, page_number
from discovery.admin.pages.profile_rows import figure_rows, habit_rows
from discovery.admin.pages.wallet_filters import WatchlistFilterSet
from discovery.domain.addresses import is_address
from discovery.domain.display import short_address
from discovery.domain.flags import FLAG_NAMES
from discovery.domain.units import lamports_to_sol
from discovery.domain.wallet_labels import MAX_LABEL_LENGTH
from discovery.models import Wallet
from discovery.models.enums import LISTED_ORIGINS, VerdictChoice, WalletStatus
from discovery.reads import (
    positions,
    token_results,
    wallet_history,
    wallets,
    watchlist,
)
from discovery.reads.filters import TradeFilterSet
from discovery.reads.paging import Page
from discovery.reads.trades import wallet_trades

ROWS: Final = 25
POSITIONS: Final = 15
TOKENS: Final = 12
TRADES: Final = 20
DEFAULT_ORDERING: Final = "-edge_low_pct"
ORDERINGS: Final = {
    "-edge_low_pct": "Edge, lower end",
    "-score": "Score",
    "-realised_lamports": "Realised",
    "-last_discovered_at": "Last found",
    "last_discovered_at": "Found longest ago",
}
FILTERS: Final = (
    "verdict",
    "status",
    "flag",
    "tag",
    "origin",
    "search",
    "min_score",
    "min_cycles",
)
EXPORT_FORMATS: Final = {
    "ndjson": "NDJSON",
    "axiom": "Axiom",
    "padre": "Padre",
    "bullx": "BullX",
    "gmgn": "GMGN",
    "okx": "OKX",
    "txt": "Plain text",
}
"""Formats of the export beside CSV, with their labels."""
_MAX_LENGTHS: Final = {"label": MAX_LABEL_LENGTH, "note": 10_000}
MAX_QUOTED_LENGTH: Final = 200


@staff_view(VIEW_WALLETS)
def leaderboard(request: HttpRequest) -> HttpResponse:
    """Render the watchlist with filters: pinned wallets, then the others by the lower
    end of their edge. The export holds every wallet of the filter.
    """
    number = page_number(request)
    ordering = request.GET.get("ordering", DEFAULT_ORDERING)
    if ordering not in ORDERINGS:
        ordering = DEFAULT_ORDERING
    given = {name: request.GET.get(name, "") for name in FILTERS}
    filters = WatchlistFilterSet({**given, "ordering": ordering})
    is_default_order = ordering == DEFAULT_ORDERING
    read = watchlist.pinned_first if is_default_order else wallets.wallet_list
    page = read(filters.qs, Page(number, ROWS))
    in_fields = _filled_fields(request)
    first_row = (number - 1) * ROWS
    values = {
        "wallets": page,
        "number": number,
        "first_row": first_row + 1,
        "last_row": first_row + len(page.rows),
        "filters": in_fields,
        "problems": filters.problems,
        "query": urlencode({**in_fields, "ordering": ordering}),
        "export": urlencode(filters.api_query),
        "export_formats": EXPORT_FORMATS.items(),
        "ordering": ordering,
        "orderings": ORDERINGS.items(),
        "verdicts": VerdictChoice.choices,
        "statuses": WalletStatus.choices,
        "flags": FLAG_NAMES,
        "is_address": is_address(given["search"].strip()),
        "origins": LISTED_ORIGINS,
        "tags": [(tag, tag) for tag in watchlist.tags_in_use()],
    }
    return render_page(request, "discovery/wallets.html", "Wallets", values)


def _filled_fields(request: HttpRequest) -> dict[str, str]:
    fields = request.GET.dict()
    for name in ("page", "ordering"):
        fields.pop(name, None)
    return {name: value for name, value in fields.items() if value}


@staff_view(VIEW_WALLETS)
def wallet_page(request: HttpRequest, address: str) -> HttpResponse:
    """Render one wallet: judgement and its tokens, profile, positions, trades,
    discoveries, changes. Raises Http404 for a wallet that is not on the watchlist.
    """
    wallet = _wallet_or_404(address)
    fetch = partial(positions.wallet_positions, address, exists=True)
    page = fetch_page(page_number(request, "positions"), POSITIONS, fetch)
    mints = {row.mint for row in page.rows.rows}
    mints |= {row.mint for row in wallet.discoveries}
    detail = wallet.score_detail
    values = {
        "wallet": wallet,
        "detail": detail,
        "positions": page.rows,
        "positions_page": page.number,
        "mint": _requested_mint(request),
        "symbols": positions.symbols(mints),
        "chart": _results_chart(positions.wallet_results(address)),
        "changes": wallet_history.wallet_changes(address),
        "profile_pending": wallet.profile_requested_at is not None,
        "profile_rows": figure_rows(wallet.profile),
        "habits": habit_rows(wallet.profile),
    }
    return render_page(
        request, "discovery/wallet.html", wallet.label or short_address(address), values
    )


def _requested_mint(request: HttpRequest) -> str:
    mint = request.GET.get("mint", "")
    return mint if is_address(mint) else ""


@staff_view(VIEW_WALLETS)
def trades(request: HttpRequest, address: str) -> HttpResponse:
    """Render a page of the wallet's trades, of all tokens or of one, each with a link
    to its transaction. Raises Http404 for a wallet that is not on the watchlist.
    """
    if not is_address(address):
        raise Http404
    mint = _requested_mint(request)
    fetch = partial(wallet_trades, address, TradeFilterSet({"mint": mint}).qs)
    try:
        page = fetch_page(page_number(request), TRADES, fetch)
    except Wallet.DoesNotExist:
        raise Http404 from None
    mints = {row.mint for row in page.rows.rows}
    if mint:
        mints.add(mint)
    values = {
        "wallet_address": address,
        "trades": page.rows,
        "number": page.number,
        "mint": mint,
        "symbols": positions.symbols(mints),
    }
    return render_fragment(request, "discovery/trades.html", values)


@staff_view(VIEW_WALLETS)
def tokens(request: HttpRequest, address: str) -> HttpResponse:
    """Render a page of the wallet's token results. Raises Http404 for a wallet that is
    not on the watchlist.
    """
    if not is_address(address):
        raise Http404
    fetch = partial(token_results.wallet_tokens, address)
    try:
        page = fetch_page(page_number(request), TOKENS, fetch)
    except Wallet.DoesNotExist:
        raise Http404 from None
    values = {
        "wallet_address": address,
        "tokens": page.rows,
        "number": page.number,
        "symbols": positions.symbols({row.mint for row in page.rows.rows}),
    }
    return render_fragment(request, "discovery/tokens.html", values)


def _results_chart(results: list[positions.ResultPoint]) -> dict[str, Any]:
    """Return the net result in SOL, summed over the resolved cycles, as the page's
    script draws it.
    """
    total_lamports = 0
    values: list[Decimal] = []
    labels: list[str] = []
    for point in results:
        total_lamports += point.net_lamports
        values.append(lamports_to_sol(total_lamports))
        labels.append(f"{point.resolved_at:%d %b %H:%M}")
    series = {"name": "net, SOL", "tone": "primary", "values": values}
    return {"labels": labels, "line": True, "unit": "SOL", "series": [series]}


class _TextChange(msgspec.Struct, frozen=True):
    """A text field of the form: what it showed (None: unknown), what it holds now, and
    what is stored.
    """

    name: str
    shown: str | None
    typed: str
    stored: str

    @property
    def is_untouched(self) -> bool:
        """The person did not edit the field: what somebody else wrote meanwhile stays."""
        return self.typed == self.shown

    @property
    def warning(self) -> str:
        """Text that says that somebody else's change is overwritten; "" if there was
        none.
        """
        if self.shown is None or self.stored in {self.shown, self.typed}:
            return ""
        quoted = self.stored[:MAX_QUOTED_LENGTH]
        return f"The {self.name} had been changed meanwhile: it was “{quoted}”; your text has replaced it."


@staff_view(CHANGE_WALLETS, method="POST")
def change(request: HttpRequest, address: str) -> HttpResponse:
    """Save label and note: only what the person has changed. Raises Http404 for a
    wallet that is not on the watchlist.
    """
    wallet = _wallet_or_404(address)
    fields = [
        _text_change(request, "label", wallet.label),
        _text_change(request, "note", wallet.note),
    ]
    edited = [field for field in fields if not field.is_untouched]
    if not all(map(_is_storable, edited)):
        messages.error(
            request, "Not saved: a label has at most 100 characters, a note 10,000."
        )
        return _return_to(request, address)
    values = {field.name: field.typed for field in edited}
    services.change_wallet(address, values, by=request.user.get_username())
    messages.success(request, "Saved.")
    for field in edited:
        if field.warning:
            messages.warning(request, field.warning)
    return _return_to(request, address)


def _text_change(request: HttpRequest, name: str, stored: str) -> _TextChange:
    shown = None
    if f"was_{name}" in request.POST:
        shown = _posted_text(request, f"was_{name}")
    return _TextChange(name, shown, _posted_text(request, name), stored)


def _posted_text(request: HttpRequest, name: str) -> str:
    # A browser counts the end of a line as one character and sends two.
    return request.POST.get(name, "").replace("\r\n", "\n").strip()


def _is_storable(field: _TextChange) -> bool:
    has_allowed_length = len(field.typed) <= _MAX_LENGTHS[field.name]
    return has_allowed_length and "\x00" not in field.typed


@staff_view(START_RUNS, method="POST")
def profile(request: HttpRequest, address: str) -> HttpResponse:
    """Ask a worker to profile and score the wallet again. Raises Http404 for a wallet
    that is not on the watchlist.
    """
    _wallet_or_404(address)
    services.request_profile(address, by=request.user.get_username())
    messages.success(
        request,
        "The next free worker profiles the wallet; reload in a moment.",
    )
    return _return_to(request, address)


def _return_to(request: HttpRequest, address: str) -> HttpResponse:
    return redirect_to(request, reverse("discovery:wallet", args=[address]))


def _wallet_or_404(address: str) -> wallets.WalletDetail:
    if not is_address(address):
        raise Http404
    try:
        return wallets.wallet_detail(address)
    except Wallet.DoesNotExist:
        raise Http404 from None
