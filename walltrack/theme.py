"""The appearance of the admin: titles, icons, colours and navigation. It loads nothing
from other servers.
"""

from typing import Any

from django.templatetags.static import static


def unfold(instance_name: str) -> dict[str, Any]:
    """Return the settings of django-unfold."""
    title = (
        "WallTrack" if instance_name == "walltrack" else f"WallTrack {instance_name}"
    )
    return {
        "SITE_TITLE": title,
        "SITE_HEADER": title,
        "SITE_SUBHEADER": "wallets worth following",
        "SITE_SYMBOL": "radar",
        "SITE_URL": None,
        "SITE_FAVICONS": [
            {
                "rel": "icon",
                "type": "image/svg+xml",
                "href": lambda _: static("walltrack/favicon.svg"),
            },
        ],
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "ENVIRONMENT": "discovery.admin.context.environment",
        "STYLES": [
            lambda _: static("walltrack/css/base.css"),
            lambda _: static("walltrack/css/components.css"),
            lambda _: static("walltrack/css/figures.css"),
            lambda _: static("walltrack/css/forms.css"),
            lambda _: static("walltrack/css/tables.css"),
        ],
        # No SCRIPTS: the theme cannot load ES modules, so templates/admin/base.html
        # does.
        "BORDER_RADIUS": "6px",
        "COLORS": {
            "primary": {
                "50": "oklch(97.1% .013 180)",
                "100": "oklch(95.3% .051 180.8)",
                "200": "oklch(91% .096 180.4)",
                "300": "oklch(85.5% .138 181)",
                "400": "oklch(77.7% .152 181.9)",
                "500": "oklch(70% .125 183)",
                "600": "oklch(53% .1 185)",
                "700": "oklch(45% .085 186)",
                "800": "oklch(38.6% .063 188)",
                "900": "oklch(33% .05 188)",
                "950": "oklch(24% .04 190)",
            },
        },
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": "discovery.admin.navigation.sidebar",
        },
    }
