"""The watchlist and one wallet with the evidence behind it."""

from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from discovery import services
from discovery.admin.pages.access import (
    CHANGE_WALLETS,
    START_RUNS,
    VIEW_WALLETS,
    is_fragment,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.paging import page_number, paged
from discovery.admin.pages.profile_rows import habits_of, rows_of
from discovery.domain.addresses import is_address
from discovery.domain.flags import FLAG_NAMES
from discovery.domain.units import lamports_to_sol
from discovery.models import Wallet
from discovery.models.enums import WalletStatus
from discovery.reads import positions, wallet_history, wallets
from discovery.reads.paging import Page

ROWS: Final = 25
POSITIONS: Final = 15
TRADES: Final = 20
ORDERINGS: Final = {
    "-score": "Score",
    "-realised_lamports": "Realised",
    "-last_discovered_at": "Last found",
    "last_discovered_at": "Found longest ago",
}


@staff_view(VIEW_WALLETS)
def leaderboard(request: HttpRequest) -> HttpResponse:
    """The watchlist, best score first, with filters; the export holds all of what is filtered."""
    asked, problems = _filters(request)
    number = page_number(request)
    ordering = request.GET.get("ordering", "-score")
    ordering = ordering if ordering in ORDERINGS else "-score"
    found = wallets.wallet_list(wallets.WalletFilter(**asked), ordering, Page(number, ROWS))
    shown = {name: value for name, value in request.GET.items() if value and name not in {"page", "ordering"}}
    exported = {name: str(value) for name, value in asked.items() if value is not None} | {"ordering": ordering}
    return render_page(
        request,
        "discovery/wallets.html",
        "Wallets",
        {
            "found": found,
            "number": number,
            "first_row": (number - 1) * ROWS + 1,
            "last_row": (number - 1) * ROWS + len(found.rows),
            "last_page": max(1, -(-found.total // ROWS)),
            "asked": shown,
            "problems": problems,
            "query": urlencode({**shown, "ordering": ordering}),
            "export": urlencode({**exported, "format": "csv"}),
            "ordering": ordering,
            "orderings": ORDERINGS.items(),
            "statuses": WalletStatus.choices,
            "flags": FLAG_NAMES,
        },
    )


def _filters(request: HttpRequest) -> tuple[dict[str, Any], list[str]]:
    """The filters as `reads` takes them, and what could not be understood."""
    given = request.GET
    asked: dict[str, Any] = {}
    problems = []
    if (status := given.get("status", "")) in WalletStatus.values:
        asked["status"] = status
    if text := given.get("min_score", ""):
        score = _number(text, 0, 100)
        if score is None:
            problems.append("Score: a whole number of 0 to 100.")
        else:
            asked["min_score"] = Decimal(score) / 100
    if text := given.get("min_cycles", ""):
        cycles = _number(text, 0, 1_000_000)
        if cycles is None:
            problems.append("Cycles: a whole number.")
        else:
            asked["min_cycles"] = cycles
    if (flag := given.get("flag", "")) in FLAG_NAMES:
        asked["flag"] = flag
    if search := given.get("search", "").replace("\x00", "").strip()[:100]:
        asked["search"] = search
    return asked, problems


def _number(text: str, least: int, most: int) -> int | None:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) if least <= int(text) <= most else None


@staff_view(VIEW_WALLETS)
def wallet_page(request: HttpRequest, address: str) -> HttpResponse:
    """One wallet: score and its parts, profile, positions, trades, discoveries, changes."""
    wallet = _found(address)
    mint = request.GET.get("mint", "")
    mint = mint if is_address(mint) else ""
    fetch = partial(positions.wallet_positions, address, exists=True)
    number, found = paged(page_number(request, "positions"), POSITIONS, fetch)
    mints = {*(row.mint for row in found.rows), *(row.mint for row in wallet.discoveries)}
    detail = wallet.score_detail
    return render_page(
        request,
        "discovery/wallet.html",
        wallet.label or f"{address[:4]}…{address[-4:]}",
        {
            "wallet": wallet,
            "detail": detail,
            "parts": [(part, None if part.value is None else round(part.value * 100)) for part in detail.parts],
            "positions": found,
            "positions_page": number,
            "mint": mint,
            "symbols": positions.symbols(mints),
            "chart": _chart(positions.wallet_results(address)),
            "changes": wallet_history.wallet_changes(address),
            "profile_pending": services.is_profile_pending(wallet.profile_requested_at),
            "profile_rows": rows_of(wallet.profile),
            "habits": habits_of(wallet.profile),
        },
    )


@staff_view(VIEW_WALLETS)
def trades(request: HttpRequest, address: str) -> HttpResponse:
    """A page of its trades, of all tokens or of one, each with the way to its transaction."""
    if not is_address(address):
        raise Http404
    mint = request.GET.get("mint", "")
    mint = mint if is_address(mint) else ""
    fetch = partial(positions.wallet_trades, address, positions.TradeFilter(mint or None))
    try:
        number, found = paged(page_number(request), TRADES, fetch)
    except Wallet.DoesNotExist:
        raise Http404 from None
    values = {"wallet_address": address, "trades": found, "number": number, "mint": mint}
    values["symbols"] = positions.symbols({row.mint for row in found.rows} | ({mint} if mint else set()))
    return render_fragment(request, "discovery/trades.html", values)


def _chart(results: list[positions.ResultPoint]) -> dict[str, Any]:
    """Net result in SOL, added up over the resolved cycles, as the page's script draws it."""
    total, values, labels = 0, [], []
    for point in results:
        total += point.net_lamports
        values.append(lamports_to_sol(total))
        labels.append(f"{point.resolved_at:%d %b %H:%M}")
    series = [{"name": "net, SOL", "tone": "primary", "values": values}]
    return {"labels": labels, "line": True, "unit": "SOL", "series": series}


@staff_view(CHANGE_WALLETS, method="POST")
def change(request: HttpRequest, address: str) -> HttpResponse:
    """Label, note and whether it is blacklisted."""
    found = _found(address)
    wanted, overtaken = {}, []
    for name, now in (("label", found.label), ("note", found.note)):
        text, was = _text(request, name), _text(request, f"was_{name}")
        if f"was_{name}" in request.POST and text == was:
            continue  # not touched here: what somebody else wrote meanwhile stays
        wanted[name] = text
        if f"was_{name}" in request.POST and now not in (was, text):
            overtaken.append(f"The {name} had been changed meanwhile: it was “{now[:200]}”; yours is in its place.")
    lengths = (len(wanted.get("label", "")), len(wanted.get("note", "")))
    if any("\x00" in text for text in wanted.values()) or lengths[0] > 100 or lengths[1] > 10_000:
        messages.error(request, "Not saved: a label has at most 100 characters, a note 10,000.")
        return _to(request, address)
    listed = request.POST.get("blacklisted") == "on"
    if listed != (request.POST.get("was_blacklisted") == "on"):  # else somebody else's change would be undone
        wanted["status"] = WalletStatus.BLACKLISTED if listed else WalletStatus.ACTIVE
    services.change_wallet(address, wanted, by=request.user.get_username())
    messages.success(request, "Saved.")
    for words in overtaken:
        messages.warning(request, words)
    return _to(request, address)


def _text(request: HttpRequest, name: str) -> str:
    # A browser counts a line's end as one character and sends two.
    return request.POST.get(name, "").replace("\r\n", "\n").strip()


@staff_view(START_RUNS, method="POST")
def profile(request: HttpRequest, address: str) -> HttpResponse:
    """Have a worker profile and score it anew."""
    _found(address)
    try:
        services.request_profile(address, by=request.user.get_username())
    except services.QueueError:
        messages.error(request, "The queue is out of reach: nothing was asked for. /health/detailed says more.")
    else:
        messages.success(request, "A worker profiles the wallet; reload in a moment.")
    return _to(request, address)


def _to(request: HttpRequest, address: str) -> HttpResponse:
    url = reverse("discovery:wallet", args=[address])
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _found(address: str) -> wallets.WalletDetail:
    if not is_address(address):
        raise Http404
    try:
        return wallets.wallet_detail(address)
    except Wallet.DoesNotExist:
        raise Http404 from None
