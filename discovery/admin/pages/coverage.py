"""Coverage of a wallet: how its units came in and left, and the transactions of each
reason.
"""

from functools import partial
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse

from discovery.admin.pages.access import (
    VIEW_WALLETS,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.paging import fetch_page, page_number
from discovery.domain.addresses import is_address
from discovery.domain.display import short_address
from discovery.models import Wallet
from discovery.reads import coverage, positions, wallets

ROWS: Final = 20


@staff_view(VIEW_WALLETS)
def coverage_page(request: HttpRequest, address: str) -> HttpResponse:
    """Render the outflows and inflows of a wallet by reason. Raises Http404 for a wallet
    that is not on the watchlist.
    """
    if not is_address(address):
        raise Http404
    try:
        wallet = wallets.wallet_detail(address)
    except Wallet.DoesNotExist:
        raise Http404 from None
    figures = None if wallet.profile is None else wallet.profile.all
    values = {
        "coverage": coverage.wallet_coverage(address),
        "name": wallet.label or short_address(address),
        "known_cycles": None if figures is None else figures.cycles - figures.unknown,
        "unknown_cycles": None if figures is None else figures.unknown,
    }
    return render_page(request, "discovery/coverage.html", "Coverage", values)


@staff_view(VIEW_WALLETS)
def moved_units(request: HttpRequest, address: str, category: str) -> HttpResponse:
    """Render a page of the transactions of one reason. Raises Http404 for a wallet that
    is not on the watchlist.
    """
    if not is_address(address):
        raise Http404
    fetch = partial(coverage.moved_units, address, category)
    try:
        page = fetch_page(page_number(request), ROWS, fetch)
    except Wallet.DoesNotExist:
        raise Http404 from None
    values = {
        "address": address,
        "category": category,
        "label": coverage.category_label(category),
        "moved": page.rows,
        "page": page.number,
        "symbols": positions.symbols({row.mint for row in page.rows.rows}),
    }
    return render_fragment(request, "discovery/wallet/moved_units.html", values)
