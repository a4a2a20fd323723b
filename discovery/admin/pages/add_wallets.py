"""The page that adds a list of wallets."""

from typing import Any, Final

import msgspec
from django.http import Http404, HttpRequest, HttpResponse

from discovery import watchlist
from discovery.admin.pages.access import (
    CHANGE_WALLETS,
    VIEW_WALLETS,
    is_fragment,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.domain.wallet_labels import split_tags
from discovery.domain.wallet_lists import (
    MAX_BYTES,
    MAX_ENTRIES,
    EntryResult,
    ListEntry,
    ListError,
    ListTooLarge,
    parse_list,
)
from discovery.models import Wallet
from discovery.models.enums import EntryResultChoice, WalletOrigin
from discovery.reads import additions
from discovery.reads.watchlist import tags_in_use

MAX_SHOWN: Final = 1000
_ATTENTION: Final = (
    EntryResult.INVALID,
    EntryResult.NOT_A_WALLET,
    EntryResult.DUPLICATE,
    EntryResult.KNOWN,
    EntryResult.ADDED,
)
"""Results in the order in which a list that is too long to be shown is cut."""
NOTHING: Final = "Nothing to add: paste a list or choose a file."
BOTH: Final = "Nothing was added: paste a list or choose a file, not both."


class _Upload(msgspec.Struct, frozen=True):
    """The list that a person sent, and how it came."""

    entries: list[ListEntry]
    origin: WalletOrigin


@staff_view(VIEW_WALLETS)
def add_page(request: HttpRequest) -> HttpResponse:
    """Render the empty form, for people who may use it."""
    return _render_form(request, {})


@staff_view(CHANGE_WALLETS, method="POST")
def add(request: HttpRequest) -> HttpResponse:
    """Add the list and render what became of each entry."""
    try:
        upload = _upload(request)
    except ListError as error:
        return _render_result(request, {"problem": str(error)})
    added = watchlist.add_wallets(
        upload.entries,
        by=request.user.get_username(),
        origin=upload.origin,
        tags=split_tags(request.POST.get("tags", "")),
        profile=request.POST.get("profile") == "on",
    )
    answers = _shown(added.answers)
    progress = None
    if added.id:
        progress = additions.addition_progress(additions.parse_addition_id(added.id))
    values = {
        "added": added,
        "answers": answers,
        "hidden_count": len(added.answers) - len(answers),
        "counts": [(name, added.counts[EntryResult(name)]) for name in EntryResult],
        "progress": progress,
    }
    return _render_result(request, values)


@staff_view(VIEW_WALLETS)
def progress(request: HttpRequest, addition_id: str) -> HttpResponse:
    """Render how many of the wallets that were added together are profiled. Raises
    Http404 for an unknown id.
    """
    try:
        at = additions.parse_addition_id(addition_id)
        found = additions.addition_progress(at)
    except (ValueError, Wallet.DoesNotExist):
        raise Http404 from None
    return render_fragment(
        request, "discovery/add_wallets/progress.html", {"progress": found}
    )


def _upload(request: HttpRequest) -> _Upload:
    """Return the list of the form. Raises ListError."""
    text = request.POST.get("wallets", "")
    file = request.FILES.get("file")
    if file is None:
        if not text.strip():
            raise ListError(NOTHING)
        return _Upload(parse_list(text), WalletOrigin.MANUAL)
    if text.strip():
        raise ListError(BOTH)
    if (file.size or 0) > MAX_BYTES:
        raise ListTooLarge(
            f"the file has {file.size:,} bytes; at most {MAX_BYTES:,} are read"
        )
    return _Upload(parse_list(file.read()), WalletOrigin.IMPORT)


def _shown(answers: list[watchlist.EntryAnswer]) -> list[watchlist.EntryAnswer]:
    """Return the answers, or of a long list those that need attention first."""
    if len(answers) <= MAX_SHOWN:
        return answers
    ranks = {str(result): rank for rank, result in enumerate(_ATTENTION)}
    ranked = sorted(answers, key=lambda answer: ranks[answer.result])
    return ranked[:MAX_SHOWN]


def _render_result(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    if is_fragment(request):
        return render_fragment(request, "discovery/add_wallets/result.html", values)
    return _render_form(request, values)


def _render_form(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    form = {
        "text": request.POST.get("wallets", "") if "problem" in values else "",
        "typed_tags": request.POST.get("tags", ""),
        "tags": tags_in_use(),
        "max_entries": MAX_ENTRIES,
        "max_megabytes": MAX_BYTES // 1_000_000,
        "results": EntryResultChoice.choices,
    }
    return render_page(
        request, "discovery/add_wallets.html", "Add wallets", {**form, **values}
    )
