"""The org's own page: how it stands, and its switches; rendered here, without scripts or anything from elsewhere."""

from html import escape
from typing import Any
from urllib.parse import urlsplit

from crm_events.simulator.switches import API, FEED, KINDS, ORG
from crm_events.simulator.web.control import Control
from crm_events.simulator.web.http import Answer, ApiError, Request, not_found, text_answer
from crm_events.simulator.web.style import STYLE

_GROUPS = ((FEED, "On the way to the service"), (ORG, "In the org"), (API, "When the service asks"))
_MORE = 100
_PACES = (0, 20, 120, 600)
_SHOWN_MISHAPS = 12
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_ACTS = (
    ("empty_bin", "Empty the recycle bin"),
    ("purge_delete_log", "Forget what was deleted when"),
    ("expire_sessions", "End all sessions"),
    ("expire_cursors", "Close all query cursors"),
    ("release_feed", "Send what is held back"),
    ("reset_switches", "Switch everything off"),
)


class Page:
    """Answer below ``/simulator/``."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def answer(self, request: Request) -> Answer:
        """Show the page, or do what one of its forms asks for and show it again."""
        if request.path == "/":
            return Answer(302, b"", {"Location": "/simulator/"})
        if request.path.rstrip("/") != "/simulator":
            raise not_found()
        if request.method == "POST":
            _check_origin(request)
            self._do(request.form())
            return Answer(303, b"", {"Location": "/simulator/"})
        page = text_answer(self._html(), "text/html")
        page.headers.update({"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})
        return page

    def _do(self, form: dict[str, str]) -> None:
        match form.get("do"):
            case "advance":
                self._control.advance(_MORE)
            case "pace":
                self._control.pace.rate = _float(form.get("rate", "0"))
            case "switch":
                self._set(form)
            case name:
                self._control.do(str(name))

    def _set(self, form: dict[str, str]) -> None:
        name = form.get("name", "")
        if "toggle" in form:
            values: dict[str, Any] = {"chance": 1.0 if form["toggle"] == "on" else 0.0}
        elif form.get("once"):
            values = {"times": self._control.org.switches[name].times + 1 if name in KINDS else 1}
        else:
            values = {"chance": _float(form.get("percent", "0")) / 100, "times": 0}
        values |= {"value": _float(form["value"])} if form.get("value") else {}
        values |= {"where": form["where"].strip()} if "where" in form else {}
        self._control.set_switch(name, values)

    def _html(self) -> str:
        state = self._control.state()
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>Simulated Salesforce org</title><style>{STYLE}</style></head><body>"
            '<a class="skip" href="#main">Skip to the content</a><header><h1>Simulated Salesforce org</h1>'
            f"<p>{_sentence(state)}</p></header><main id=main>{_tiles(state)}{self._buttons(state)}{_records(state)}"
            f"{''.join(_group(state, name, title) for name, title in _GROUPS)}{self._mishaps()}{_acts()}</main>"
            "</body></html>"
        )

    def _buttons(self, state: dict[str, Any]) -> str:
        paces = "".join(
            f'<button name=rate value={rate} aria-pressed="{str(state["pace"] == rate).lower()}">'
            f"{f'{rate} a minute' if rate else 'Pause'}</button>"
            for rate in _PACES
        )
        return (
            '<section class="card row"><form method=post><input type=hidden name=do value=advance>'
            f'<button class="main">Change {_MORE} records now</button></form>'
            '<form method=post class="pace"><input type=hidden name=do value=pace>'
            f'<span id="pace">People change things</span><span role=group aria-labelledby="pace">{paces}</span>'
            "</form></section>"
        )

    def _mishaps(self) -> str:
        newest = self._control.org.mishaps.newest(_SHOWN_MISHAPS)
        if not newest:
            return ""
        rows = "".join(
            f"<tr><td>{escape(_title(one['name']))}<td>{escape(one['entity'])}"
            f"<td><code>{escape(_shown_ids(one['records']))}</code><td>{escape(one['detail'])}"
            for one in newest
        )
        return (
            '<section class="card"><h2>What went wrong last</h2><div tabindex=0 role=region aria-label="Mishaps">'
            f"<table><thead><tr><th>What<th>Object<th>Records<th>Details<tbody>{rows}</table></div></section>"
        )


def _sentence(state: dict[str, Any]) -> str:
    feed = state["feed"]
    if feed["trouble"]:
        return f"{feed['waiting']:,} events wait, because the service does not take them. {escape(feed['trouble'])}."
    switched = [one["title"].lower() for one in state["switches"] if _is_fault(one)]
    if switched:
        return f"Switched on: {escape(', '.join(switched))}."
    return "Everything works as it should. Next: change something, or switch a fault on and watch the service."


def _tiles(state: dict[str, Any]) -> str:
    feed = state["feed"]
    figures = (
        ("Records", f"{sum(one['rows'] for one in state['records'].values()):,}"),
        ("Changes in the last minute", f"{state['per_minute']:,}"),
        ("Events sent", f"{feed['sent']:,}"),
        ("Events waiting", f"{feed['waiting']:,}"),
        ("Longest wait", f"{feed['oldest_wait_seconds']:,.0f} s"),
        ("Commits under way", f"{state['in_flight']:,}"),
    )
    tiles = "".join(f"<div><dt>{title}<dd>{figure}</div>" for title, figure in figures)
    return f'<dl class="tiles">{tiles}</dl>'


def _records(state: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(entity)}<td class=n>{one['rows'] - one['deleted']:,}<td class=n>{one['deleted']:,}"
        f"<td class=n>{one['hidden']:,}"
        for entity, one in state["records"].items()
    )
    body = rows or "<tr><td colspan=4>No records yet."
    return (
        '<section class="card"><h2>Records</h2><div tabindex=0 role=region aria-label="Records"><table><thead><tr>'
        f"<th>Object<th class=n>Present<th class=n>In the recycle bin<th class=n>Hidden<tbody>{body}</table></div>"
        "</section>"
    )


def _group(state: dict[str, Any], group: str, title: str) -> str:
    switches = "".join(_switch(one) for one in state["switches"] if one["group"] == group)
    return f'<section class="card"><h2>{title}</h2><div class="switches">{switches}</div></section>'


def _switch(one: dict[str, Any]) -> str:
    name, label = escape(one["name"]), escape(one["title"])
    controls = _state_controls(one) if one["is_state"] else _chance_controls(one)
    came = f" It came {_times(one['count'])}." if one["count"] else ""
    left = f" {one['times']:,} more to come." if one["times"] else ""
    mark = f'<span class="pill {"on" if _is_fault(one) else "off"}">{_standing(one)}</span>'
    return (
        f'<form method=post class="switch" id="{name}"><input type=hidden name=do value=switch>'
        f'<input type=hidden name=name value="{name}"><h3>{label} {mark}</h3>'
        f'<p>{escape(one["text"])}{came}{left}</p><div class="controls">{controls}</div></form>'
    )


def _state_controls(one: dict[str, Any]) -> str:
    is_on = _is_on(one)
    button = f"<button name=toggle value={'off' if is_on else 'on'}>{'Switch off' if is_on else 'Switch on'}</button>"
    return f"{_value_field(one)}{button}"


def _chance_controls(one: dict[str, Any]) -> str:
    where = ""
    if one["has_where"]:
        where = f'<label>Only where the address has <input name=where value="{escape(one["where"])}" size=10></label>'
    return (
        f'<label>Chance <input name=percent type=number min=0 max=100 step=any value="{one["chance"] * 100:g}"> %'
        f"</label>{_value_field(one)}{where}<button>Set</button><button name=once value=1>Next time</button>"
    )


def _value_field(one: dict[str, Any]) -> str:
    if not one["unit"]:
        return ""
    unit = escape(one["unit"])
    return f'<label><input name=value type=number step=any value="{one["value"]:g}"> {unit}</label>'


def _acts() -> str:
    buttons = "".join(f"<button name=do value={name}>{label}</button>" for name, label in _ACTS)
    return f'<section class="card"><h2>At once</h2><form method=post class="row">{buttons}</form></section>'


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _is_on(one: dict[str, Any]) -> bool:
    return bool(one["chance"] > 0 or one["times"] > 0)


def _is_fault(one: dict[str, Any]) -> bool:
    # Long texts as diffs are how every org sends them.
    return _is_on(one) and one["name"] != "diff"


def _standing(one: dict[str, Any]) -> str:
    if not _is_on(one):
        return "Off"
    return "On" if one["is_state"] or not one["chance"] else f"{one['chance'] * 100:g} %"


def _title(name: str) -> str:
    return KINDS[name].title if name in KINDS else name.replace("_", " ").capitalize()


def _shown_ids(ids: list[str]) -> str:
    return ids[0] + (f" and {len(ids) - 1} more" if len(ids) > 1 else "") if ids else ""


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ApiError(400, "BAD_REQUEST", f"“{text}” is no number.") from error


def _check_origin(request: Request) -> None:
    """Refuse forms of other pages: whoever is lured to one must not change an org on this machine."""
    origin = request.headers.get("ORIGIN", "")
    if origin and urlsplit(origin).netloc != request.headers.get("HOST"):
        raise ApiError(403, "FORBIDDEN", "The form is not one of this page.")
