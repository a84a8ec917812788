"""How the console looks and what its menu holds, as Unfold's settings; read with the settings, so plain Python."""

from typing import Any

from django.http import HttpRequest


def _file(path: str) -> Any:
    def address(_request: HttpRequest) -> str:
        from django.templatetags.static import static  # noqa: PLC0415  # needs settings, which are being read here

        return static(path)

    return address


_BLUE = {
    "50": "#eaf0fd",
    "100": "#dbe6fc",
    "200": "#bfd2fa",
    "300": "#a6c1ff",
    "400": "#8fb0ff",
    # Unfold uses 500 for links on dark ground and 600 for buttons and for links on light ground.
    "500": "#8fb0ff",
    "600": "#2454c6",
    "700": "#1c429c",
    "800": "#1b357a",
    "900": "#1b2947",
    "950": "#131d33",
}
_GREY = {
    "50": "#f8f9fb",
    "100": "#f3f5f9",
    "200": "#e2e5eb",
    "300": "#cdd2db",
    "400": "#939daf",
    "500": "#626c80",
    "600": "#4a5363",
    "700": "#3b4453",
    "800": "#2a313d",
    "900": "#171c25",
    "950": "#0f131a",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Client Management",
    "SITE_HEADER": "Client Management",
    "SITE_SUBHEADER": "Operator’s console",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("console/icon.svg")}],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {"base": _GREY, "primary": _BLUE},
    "STYLES": [_file("console/console.css")],
    "SCRIPTS": [_file("console/console.js")],
    "DASHBOARD_CALLBACK": "config.console.start.add_figures",
    "SIDEBAR": {"show_search": False, "navigation": "config.console.navigation.groups"},
}
