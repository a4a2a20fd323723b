"""What the pages share: facts cannot be changed, large tables are not counted twice, amounts read as SOL."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from discovery.domain.funnel import ordered
from discovery.domain.units import lamports_to_sol


class FactsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic only in the stubs
    """Rows that only runs write."""

    show_full_result_count = False  # the second COUNT(*) is most of a large page's time
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds facts."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes facts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes facts."""
        return False


def sol(lamports: int | None) -> str:
    """SOL with four digits after the point, "–" where nothing is known."""
    return "–" if lamports is None else f"{lamports_to_sol(lamports):,.4f}"


def short(address: str) -> str:
    """4…4 of an address, on one line (word joiners keep a narrow column from breaking it)."""
    return f"{address[:4]}\u2060…\u2060{address[-4:]}"


def counts(funnel: dict[str, Any]) -> str:
    """A funnel as lines of words and numbers."""
    return "\n".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in ordered(funnel)) or "–"
