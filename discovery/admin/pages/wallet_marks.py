"""What operators say of a wallet: tags, a pin, the blacklist."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from discovery import services
from discovery.admin.pages.access import CHANGE_WALLETS, redirect_to, staff_view
from discovery.domain.wallet_labels import split_tags
from discovery.models import Wallet
from discovery.models.enums import WalletStatus

ON: Final = "on"


@staff_view(CHANGE_WALLETS, method="POST")
def tags(request: HttpRequest, address: str) -> HttpResponse:
    """Add the tags in `add`, which commas or semicolons separate, and remove the tag in
    `remove`. Raises Http404 for a wallet that is not on the watchlist.
    """

    def save(by: str) -> None:
        removed = request.POST.getlist("remove")
        added = split_tags(request.POST.get("add", ""))
        services.change_tags(address, add=added, remove=removed, by=by)

    return _saved(request, address, save)


@staff_view(CHANGE_WALLETS, method="POST")
def pin(request: HttpRequest, address: str) -> HttpResponse:
    """Pin the wallet, or unpin it if `pinned` is not on. Raises Http404 for a wallet
    that is not on the watchlist.
    """
    values = {"is_pinned": request.POST.get("pinned") == ON}
    return _saved(request, address, _change(address, values))


@staff_view(CHANGE_WALLETS, method="POST")
def blacklist(request: HttpRequest, address: str) -> HttpResponse:
    """Blacklist the wallet with its `reason`, or take it off the blacklist if
    `blacklisted` is not on. Raises Http404 for a wallet that is not on the watchlist.
    """
    values: dict[str, Any] = {"status": WalletStatus.ACTIVE}
    if request.POST.get("blacklisted") == ON:
        reason = request.POST.get("reason", "")
        values = {"status": WalletStatus.BLACKLISTED, "blacklist_reason": reason}
    return _saved(request, address, _change(address, values))


def _change(address: str, values: dict[str, Any]) -> Callable[[str], None]:
    def save(by: str) -> None:
        services.change_wallet(address, values, by=by)

    return save


def _saved(
    request: HttpRequest, address: str, save: Callable[[str], None]
) -> HttpResponse:
    """Save with the name of the user as author, and return to the wallet."""
    try:
        save(request.user.get_username())
    except Wallet.DoesNotExist:
        raise Http404 from None
    messages.success(request, "Saved.")
    return redirect_to(request, reverse("discovery:wallet", args=[address]))
