"""Formatting of figures on pages. A value that is not known is a dash; text from the
chain is made harmless.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from discovery.domain.chain_text import clean_text
from discovery.domain.display import (
    UNKNOWN,
    duration_text,
    result_notes,
    short_address,
    signed_pct_text,
    sol_text,
)
from discovery.domain.flags import flag_label
from discovery.domain.judgements import (
    EXCLUSION_LABELS,
    UNKNOWN_LABELS,
    VERDICT_ADVICE,
    Verdict,
)
from discovery.domain.reasons import unknown_reason_label
from discovery.domain.rejections import rejection_label
from discovery.domain.units import lamports_to_sol
from discovery.reads.operators import has_operator
from discovery.reads.trades import TradeRow

register = template.Library()

_BASIS_TEXTS: Final = {
    "costs only": "the wallet's own, less costs",
    "behind the leader": "right behind the wallet",
    "late": "some seconds behind the wallet",
}
_SOURCE_TEXTS: Final = {
    "chain": "valued by the reserves on the chain",
    "dexscreener": "valued by DexScreener",
}

EXPLORER: Final = "https://solscan.io"
MAX_CHAIN_TEXT: Final = 64
_USD_UNITS: Final = (
    (Decimal(10) ** 9, "B"),
    (Decimal(10) ** 6, "M"),
    (Decimal(10) ** 3, "k"),
)
_MIN_PLAIN_USD: Final = Decimal("0.0001")
_MAX_UNIT_DIGITS: Final = 4


class Mark(NamedTuple):
    """How a status is shown: icon and word, so that it can be read without its colour,
    and the tone of the colour.
    """

    icon: str
    text: str
    tone: str


RUN_MARKS: Final = {
    "queued": Mark("schedule", "queued", "wait"),
    "running": Mark("progress_activity", "running", "busy"),
    "completed": Mark("check_circle", "completed", "good"),
    "completed_with_errors": Mark("error", "completed with errors", "warn"),
    "failed": Mark("cancel", "failed", "bad"),
    "cancelled": Mark("block", "cancelled", "dim"),
    "skipped": Mark("skip_next", "skipped", "dim"),
}
WALLET_MARKS: Final = {
    "active": Mark("verified", "active", "good"),
    "insufficient_data": Mark("hourglass_empty", "too little data", "dim"),
    "decay_detected": Mark("trending_down", "decay", "warn"),
    "blacklisted": Mark("block", "blacklisted", "bad"),
}
VERDICT_MARKS: Final = {
    "follow": Mark("thumb_up", "follow", "good"),
    "watch": Mark("visibility", "watch", "busy"),
    "neutral": Mark("drag_handle", "neutral", "dim"),
    "avoid": Mark("thumb_down", "avoid", "bad"),
    "not known": Mark("help", "not known", "dim"),
    "excluded": Mark("block", "excluded", "warn"),
}
RESULT_MARKS: Final = {
    "win": Mark("arrow_upward", "win", "good"),
    "loss": Mark("arrow_downward", "loss", "bad"),
    "even": Mark("drag_handle", "even", "dim"),
    "open": Mark("more_horiz", "open", "wait"),
    "unknown": Mark("help", "unknown", "dim"),
}
_MARKS: Final = {
    "run": RUN_MARKS,
    "wallet": WALLET_MARKS,
    "result": RESULT_MARKS,
    "verdict": VERDICT_MARKS,
}


def figure(write: Callable[..., str]) -> Callable[..., str]:
    """Register a filter that writes a known value; an unknown one becomes a dash.

    Unknown is null, or the empty text that a template makes of a figure that a profile
    does not have.
    """

    @wraps(write)
    def write_if_known(value: Any, *args: Any) -> str:
        if value in (None, ""):
            return UNKNOWN
        return write(value, *args)

    register.filter(write.__name__, write_if_known)
    return write_if_known


@figure
def sol(lamports: int, places: int = 4) -> str:
    """Lamports as SOL."""
    return sol_text(lamports, places)


@figure
def signed_sol(lamports: int) -> str:
    """Lamports as SOL, with its sign."""
    return f"{lamports_to_sol(lamports):+,.4f}".replace("-", "−")


@figure
def usd(value: Decimal) -> str:
    """USD, abbreviated from a thousand on; prices below a dollar with the digits they
    need.
    """
    size = abs(value)
    for unit, letter in _USD_UNITS:
        if size >= unit:
            return f"{value / unit:,.2f}{letter}"
    if size >= 1 or not value:
        return f"{value:,.2f}"
    if size >= _MIN_PLAIN_USD:
        return f"{value:.4g}"
    return f"{value:.3e}"


@figure
def pct(value: Decimal, places: int = 1) -> str:
    """A value that is in percent already."""
    return f"{value:,.{places}f}"


@figure
def ratio_pct(value: Decimal, places: int = 0) -> str:
    """A ratio of 0–1 in percent."""
    return f"{value * 100:.{places}f}"


@figure
def signed_pct(value: Decimal | float, places: int = 1) -> str:
    """A value that is in percent already, with its sign."""
    return signed_pct_text(value, places)


@figure
def return_pct(value: float, places: int = 1) -> str:
    """A return as a ratio in percent, with its sign."""
    return signed_pct_text(value * 100, places)


@register.simple_tag
def tone(growth: float | None) -> str:
    """Return the CSS class that colours a gain or a loss."""
    if not growth:
        return ""
    return "wt-good" if growth > 0 else "wt-bad"


@register.filter
def advice(verdict: str) -> str:
    """Return what a verdict means; empty for an unknown one."""
    return VERDICT_ADVICE.get(verdict, "")


@register.filter
def basis_text(basis: str | None) -> str:
    """Return how closely a follower's prices were seen, in words. basis: a level of seeing,
    with ", part by sample" where some tokens were seen less closely.
    """
    if not basis:
        return UNKNOWN
    level, _, sample = basis.partition(", ")
    text = _BASIS_TEXTS.get(level, level)
    if sample:
        text += "; some tokens less closely, which the interval contains"
    return text


@register.simple_tag
def edge_class(row: Any) -> str:
    """Return the CSS classes of an edge: coloured once there is a verdict."""
    if row.verdict == Verdict.NOT_KNOWN:
        return "wt-faint"
    tone = "wt-good" if row.edge_pct > 0 else "wt-bad"
    return f"wt-strong {tone}"


@register.filter
def source_label(source: str) -> str:
    """Return where the value of held units comes from, in words."""
    return _SOURCE_TEXTS.get(source, source)


@register.filter
def exclusion_label(code: str) -> str:
    """Return why a token is no evidence, in words."""
    return EXCLUSION_LABELS.get(code, code)


@register.filter
def token_unknown_label(code: str) -> str:
    """Return why the result of a token is not known, in words."""
    return UNKNOWN_LABELS.get(code, code)


@figure
def score100(value: Decimal) -> str:
    """A score of 0–1 as 0–100."""
    return f"{value * 100:.1f}"


@register.filter
def plain(value: Decimal | int) -> str:
    """A number without trailing zeros, its thousands separated."""
    return f"{Decimal(value).normalize():,f}"


@register.filter
def size(value: Decimal | None) -> Decimal | None:
    """A number without its sign; None stays None."""
    if value is None:
        return None
    return abs(value)


@figure
def number(value: Decimal | int, places: int = 0) -> str:
    """A number with its thousands separated."""
    return f"{value:,.{places}f}"


@figure
def duration(seconds: Decimal | int) -> str:
    """Seconds in words: `4 s`, `3 min 20 s`, `5 h 4 min`, `3 d 2 h`."""
    return duration_text(int(seconds))


@register.filter
def moment(at: datetime | None, form: str = "ago") -> str | SafeString:
    """A time in the server's zone; the page's script turns it into the reader's. Both
    and UTC on hover.

    form: `ago` = relative, `at` = the time of the day, `full` = day and time.
    """
    if at is None:
        return UNKNOWN
    local = timezone.localtime(at)
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-form="{}" title="{} · {} UTC">{}</time>',
        utc.isoformat().replace("+00:00", "Z"),
        form,
        local.strftime("%d %b %Y %H:%M:%S %Z"),
        utc.strftime("%H:%M"),
        local.strftime("%d %b %H:%M"),
    )


@register.filter
def chain(text: str | None) -> str:
    """Text from the chain, safe to show."""
    return clean_text(text, MAX_CHAIN_TEXT) or UNKNOWN


@figure
def short(address: str) -> str:
    """First and last four characters of an address."""
    return short_address(address)


@register.filter
def words(name: str | None) -> str:
    """A name of the code in words."""
    return str(name or "").replace("_", " ")


register.filter(flag_label)
register.filter(result_notes)
register.filter(unknown_reason_label)
register.filter(rejection_label)


@register.filter
def fees(trade: TradeRow) -> int:
    """Costs of a trade beside its price, in lamports: network fee, tip and platform
    fee. Rent is no cost.
    """
    return trade.network_fee_lamports + trade.tip_lamports + trade.platform_fee_lamports


@register.filter
def units(raw: int, decimals: int) -> str:
    """Raw token units in whole tokens, with four digits after the point at most."""
    if not decimals:
        return f"{raw:,}"
    whole, rest = divmod(raw, 10**decimals)
    digits = f"{rest:0{decimals}}"[:_MAX_UNIT_DIGITS]
    return f"{whole:,}.{digits}".rstrip("0").rstrip(".")


@register.filter
def as_json(value: Any) -> str:
    """Data for the page's script, in an attribute: escaped like any text."""
    return json.dumps(value, cls=DjangoJSONEncoder)


@register.filter
def item(values: Mapping[str, str], name: str) -> str:
    """The value under this name, or empty text."""
    return values.get(name, "")


@register.simple_tag
def no_operator() -> bool:
    """True while nobody can log in yet."""
    return not has_operator()


@register.simple_tag
def mark(status: str, kind: str = "run", errors: int = 0) -> SafeString:
    """A status as icon and word; an unknown one with a question mark.

    kind: `run`, `wallet`, `verdict` or `result`. errors: their number, of a run.
    """
    key = status
    if errors and status == "completed":
        key = "completed_with_errors"
    found = _MARKS[kind].get(key, Mark("help", status, "dim"))
    return format_html(
        '<span class="wt-mark wt-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        found.tone,
        found.icon,
        found.text,
    )


@register.simple_tag(takes_context=True)
def page_url(context: template.Context, name: str, number: int, by: int) -> str:
    """Address of this page with one of its lists on another page; the other lists stay."""
    query = context["request"].GET.copy()
    query[name] = str(number + by)
    return f"?{query.urlencode()}"


@register.inclusion_tag("discovery/address.html")
def address(text: str, link: str = "", kind: str = "account") -> dict[str, Any]:
    """A short address with a button that copies it. link: its page here; kind: of the
    explorer's page.
    """
    return {"text": text, "link": link, "explorer": explorer(kind, text)}


@register.simple_tag
def explorer(kind: str, text: str) -> str:
    """Address of the explorer's page of an `account`, a `token` or a `tx`. Only a click
    opens it.
    """
    return f"{EXPLORER}/{kind}/{text}"


@register.filter
def why_url(text: str) -> str:
    """Address of the page that says why an address is on the watchlist or not."""
    return f"{reverse('discovery:why')}?{urlencode({'address': text})}"
