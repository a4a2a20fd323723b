"""The page that says why an address is on the watchlist or not."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import (
    VIEW_RUNS,
    VIEW_WALLETS,
    render_page,
    staff_view,
)
from discovery.domain.addresses import is_address
from discovery.models.enums import WalletOrigin
from discovery.reads.why import explain_address

MAX_QUOTED_LENGTH: Final = 60


@staff_view(VIEW_WALLETS, VIEW_RUNS)
def why_page(request: HttpRequest) -> HttpResponse:
    """Render the search box and, for an address, what is stored about it."""
    typed = request.GET.get("address", "").strip()
    values: dict[str, Any] = {"typed": typed, "why": None, "problem": ""}
    if is_address(typed):
        why = explain_address(typed)
        values["why"] = why
        if why.wallet is not None:
            values["origin_label"] = WalletOrigin(why.wallet.origin).label
    elif typed:
        values["problem"] = f"“{typed[:MAX_QUOTED_LENGTH]}” is not a Solana address."
    return render_page(request, "discovery/why.html", "Why?", values)
