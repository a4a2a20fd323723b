"""The sidebar of all pages."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return groups of links. The theme shows a link to users who have its permission."""
    home = reverse("discovery:home")
    return [
        {
            "items": [
                {
                    **_link(
                        request,
                        "Discovery",
                        "radar",
                        "discovery:home",
                        "discovery.view_run",
                    ),
                    "active": request.path == home
                    or request.path.startswith(f"{home}runs/"),
                },
                _link(
                    request,
                    "Wallets",
                    "account_balance_wallet",
                    "discovery:wallets",
                    "discovery.view_wallet",
                ),
                _link(
                    request,
                    "Does it pay?",
                    "monitoring",
                    "discovery:report",
                    "discovery.view_wallet",
                ),
                _link(
                    request,
                    "Why?",
                    "help",
                    "discovery:why",
                    "discovery.view_wallet",
                ),
            ]
        },
        {
            "title": "Evidence",
            "separator": True,
            "items": [
                _table(request, "Runs", "history", "run"),
                _table(request, "Tokens", "token", "runtoken"),
                _table(request, "Wallets of runs", "group", "runwallet"),
                _table(request, "Positions", "stacked_line_chart", "position"),
                _table(request, "Trades", "swap_horiz", "trade"),
            ],
        },
        {
            "title": "Administration",
            "separator": True,
            "items": [
                _table(request, "Configuration", "tune", "config"),
                _table(request, "API keys", "key", "apikey"),
                _link(request, "API", "api", "api:docs", None),
                _link(
                    request,
                    "Providers",
                    "cloud_sync",
                    "discovery:providers",
                    "discovery.view_run",
                ),
                _link(
                    request,
                    "Storage",
                    "database",
                    "discovery:storage",
                    "discovery.view_config",
                ),
                _table(request, "Users", "person", "user", app="auth"),
                _table(request, "Groups", "groups", "group", app="auth"),
                _table(
                    request,
                    "Intervals",
                    "timer",
                    "periodictask",
                    app="django_celery_beat",
                ),
            ],
        },
    ]


def _table(
    request: HttpRequest, title: str, icon: str, model: str, *, app: str = "discovery"
) -> dict[str, Any]:
    return _link(
        request, title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}"
    )


def _link(
    request: HttpRequest, title: str, icon: str, name: str, permission: str | None
) -> dict[str, Any]:
    allowed = permission is None or request.user.has_perm(permission)
    return {
        "title": title,
        "icon": icon,
        "link": reverse(name),
        "permission": lambda _: allowed,
    }
