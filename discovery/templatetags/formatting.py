"""How figures are written on pages. What is not known is a dash; text of the chain is made harmless."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from discovery.domain.chain_text import clean_text
from discovery.domain.units import lamports_to_sol
from discovery.reads.operators import any_operator
from discovery.reads.positions import TradeRow

register = template.Library()

DASH: Final = "–"
EXPLORER: Final = "https://solscan.io"
_STEPS: Final = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
RUN_MARKS: Final = {
    "queued": ("schedule", "queued", "wait"),
    "running": ("progress_activity", "running", "busy"),
    "completed": ("check_circle", "completed", "good"),
    "completed_with_errors": ("error", "completed with errors", "warn"),
    "failed": ("cancel", "failed", "bad"),
    "cancelled": ("block", "cancelled", "dim"),
    "skipped": ("skip_next", "skipped", "dim"),
}
WALLET_MARKS: Final = {
    "active": ("verified", "active", "good"),
    "insufficient_data": ("hourglass_empty", "too little data", "dim"),
    "decay_detected": ("trending_down", "decay", "warn"),
    "blacklisted": ("block", "blacklisted", "bad"),
}
RESULT_MARKS: Final = {
    "win": ("arrow_upward", "win", "good"),
    "loss": ("arrow_downward", "loss", "bad"),
    "even": ("drag_handle", "even", "dim"),
    "open": ("more_horiz", "open", "wait"),
}


def _unknown(value: Any) -> bool:
    """Nothing is known: null, or what a template makes of a figure of a profile that is not there."""
    return value is None or value == ""


@register.filter
def sol(lamports: int | None, places: int = 4) -> str:
    """Lamports as SOL."""
    return DASH if lamports is None or _unknown(lamports) else f"{lamports_to_sol(lamports):,.{places}f}"


@register.filter
def signed_sol(lamports: int | None) -> str:
    """Lamports as SOL, with its sign."""
    return DASH if lamports is None or _unknown(lamports) else f"{lamports_to_sol(lamports):+,.4f}".replace("-", "−")


@register.filter
def usd(value: Decimal | None) -> str:
    """USD, short from a thousand on; prices with the digits they need."""
    if value is None or _unknown(value):
        return DASH
    for step, letter in _STEPS:
        if abs(value) >= step:
            return f"{value / step:,.2f}{letter}"
    if value and abs(value) < 1:
        return f"{value:.4g}" if abs(value) >= Decimal("0.0001") else f"{value:.3e}"
    return f"{value:,.2f}"


@register.filter
def pct(value: Decimal | None, places: int = 1) -> str:
    """A percentage that is one already."""
    return DASH if value is None or _unknown(value) else f"{value:,.{places}f}"


@register.filter
def ratio_pct(value: Decimal | None, places: int = 0) -> str:
    """A ratio of 0–1 as percent."""
    return DASH if value is None or _unknown(value) else f"{value * 100:.{places}f}"


@register.filter
def score100(value: Decimal | None) -> str:
    """A score of 0–1 as 0–100."""
    return DASH if value is None or _unknown(value) else f"{value * 100:.1f}"


@register.filter
def plain(value: Decimal | int | None) -> str:
    """A number without zeros that say nothing."""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def size(value: Decimal | None) -> Decimal | None:
    """Without its sign."""
    return None if value is None else abs(value)


@register.filter
def number(value: Decimal | int | None, places: int = 0) -> str:
    """A number with thousands apart."""
    return DASH if value is None or _unknown(value) else f"{value:,.{places}f}"


@register.filter
def duration(seconds: Decimal | int | None) -> str:
    """Seconds in words: `4 s`, `3 min 20 s`, `5 h 4 min`, `3 d 2 h`."""
    if seconds is None or _unknown(seconds):
        return DASH
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min" if whole % 3600 // 60 else f"{whole // 3600} h"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


@register.filter
def moment(at: datetime | None, form: str = "ago") -> str | SafeString:
    """A time: in the server's zone until the page's script puts it into the reader's; both and UTC on hover.

    form: `ago` = relative, `at` = the time of the day, `full` = day and time.
    """
    if at is None:
        return DASH
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" data-form="{}" title="{} · {} UTC">{}</time>',
        at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        form,
        local.strftime("%d %b %Y %H:%M:%S %Z"),
        at.astimezone(UTC).strftime("%H:%M"),
        local.strftime("%d %b %H:%M"),
    )


@register.filter
def chain(text: str | None) -> str:
    """Text of the chain, fit to be shown."""
    return clean_text(text, 64) or DASH


@register.filter
def short(address: str | None) -> str:
    """4…4 of an address."""
    return DASH if not address else f"{address[:4]}…{address[-4:]}"


@register.filter
def words(name: str | None) -> str:
    """A name of code in words."""
    return str(name or "").replace("_", " ")


@register.filter
def fees(trade: TradeRow) -> int:
    """What a trade cost beside its price, lamports: network fee, tip and platform fee; rent is no cost."""
    return trade.network_fee_lamports + trade.tip_lamports + trade.platform_fee_lamports


@register.filter
def units(raw: int, decimals: int) -> str:
    """Raw token units as the token counts them, four digits after the point at most."""
    whole, rest = divmod(raw, 10**decimals)
    digits = str(rest).rjust(decimals, "0")[:4].rstrip("0") if decimals else ""
    return f"{whole:,}.{digits}" if digits else f"{whole:,}"


@register.filter
def as_json(value: Any) -> str:
    """Data for the page's script, in an attribute: escaped like any text."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def item(found: Mapping[str, str], name: str) -> str:
    """What stands under this name, empty where nothing does."""
    return found.get(name, "")


@register.simple_tag
def no_operator() -> bool:
    """Whether nobody can log in yet."""
    return not any_operator()


@register.simple_tag
def mark(status: str, kind: str = "run", errors: int = 0) -> SafeString:
    """A status as icon and word: it is told without its colour."""
    marks = {"run": RUN_MARKS, "wallet": WALLET_MARKS, "result": RESULT_MARKS}[kind]
    key = "completed_with_errors" if kind == "run" and status == "completed" and errors else status
    icon, text, tone = marks.get(key, ("help", status, "dim"))
    return format_html(
        '<span class="wt-mark wt-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        tone, icon, text,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def page_url(context: template.Context, name: str, number: int, by: int) -> str:
    """The address of this page with one of its lists turned; the others stay where they are."""
    query = context["request"].GET.copy()
    query[name] = str(number + by)
    return f"?{query.urlencode()}"


@register.inclusion_tag("discovery/address.html")
def address(text: str, link: str = "", kind: str = "account") -> dict[str, Any]:
    """An address as 4…4 with a button that copies it. link: a page of ours; kind: of the explorer's page."""
    return {"text": text, "link": link, "explorer": f"{EXPLORER}/{kind}/{text}"}


@register.simple_tag
def explorer(kind: str, text: str) -> str:
    """The explorer's page of an `account`, a `token` or a `tx`; opened only by whoever clicks it."""
    return f"{EXPLORER}/{kind}/{text}"
