"""Words, pills and times of the console."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import StreamKey

register = template.Library()
# Named, not imported: Unfold's admin builds the template engine, and with it this module, before the admins can load.
_FILTERS = {
    "delivery_state": "crm_events.admin.states.delivery_state",
    "dead_letter_state": "crm_events.admin.states.dead_letter_state",
    "notice_meaning": "crm_events.admin.notices.notice_meaning",
    "cause": "crm_events.admin.dead_letters.cause_of",
}


def _loading(path: str) -> Callable[[Any], Any]:
    def call(value: Any) -> Any:
        return import_string(path)(value)

    return call


for _name, _path in _FILTERS.items():
    register.filter(_name, _loading(_path))

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WHOLE_FROM = 10


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a Material symbol that nobody reads aloud."""
    return format_html(
        '<span class="material-symbols-outlined cm-icon" aria-hidden="true" translate="no">{}</span>', name
    )


@register.filter
def pill(state: Any) -> SafeString:
    """Return a state as word, icon and colour."""
    return format_html('<span class="cm-state cm-state--{}">{}{}</span>', state.tone, icon(state.icon), state.word)


@register.filter
def copyable(text: Any) -> SafeString:
    """Return an id with a button that copies it."""
    return format_html(
        '<span class="cm-copy"><code class="cm-id">{0}</code><button type="button" class="cm-copy-button"'
        ' data-copy="{0}" aria-label="Copy {0}">{1}</button></span>',
        text,
        icon("content_copy"),
    )


@register.filter
def ago(moment: datetime | None, now: datetime) -> SafeString:
    """Return how long ago something was, with the exact time on hover and focus."""
    if moment is None:
        return DASH
    words = duration((now - moment).total_seconds())
    # Clocks differ by a little; nobody is helped by "in 1 s".
    text = f"{words} ago" if moment < now else "now"
    return format_html(
        '<time class="cm-ago" tabindex="0" datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), text
    )


@register.filter
def exact(moment: datetime | None) -> str:
    """Return a moment in full, in UTC."""
    return f"{moment.astimezone(UTC):%a %d %b %Y, %H:%M:%S} UTC" if moment else "–"


@register.filter
def clock(moment: datetime | None) -> SafeString:
    """Return a time of the day in UTC, with the whole of it on hover and focus."""
    if moment is None:
        return DASH
    return format_html(
        '<time class="cm-ago" tabindex="0" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        exact(moment),
        f"{moment.astimezone(UTC):%d %b, %H:%M} UTC",
    )


@register.filter
def per_second(rate: float | None) -> SafeString | str:
    """Return how many a second, with as many digits as say something."""
    if rate is None:
        return DASH
    return f"{rate:,.0f}/s" if rate >= _WHOLE_FROM else f"{rate:.1f}/s"


@register.filter
def duration(seconds: float) -> str:
    """Return a time span with its unit: the two largest that matter."""
    seconds = max(0.0, float(seconds))
    if seconds < _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY:
        minutes = seconds % _HOUR // _MINUTE
        return f"{seconds // _HOUR:.0f} h" + (f" {minutes:.0f} min" if minutes else "")
    days = seconds // _DAY
    return f"{days:.0f} {'day' if days == 1 else 'days'}"


@register.filter
def in_hours(span: timedelta | None) -> str:
    """Return a time span in hours and minutes, however long: a clock that runs out is not told in days."""
    minutes = max(0, int((span or timedelta()).total_seconds() // _MINUTE))
    return f"{minutes // 60} h {minutes % 60} min"


DASH = mark_safe('<span class="cm-faint">–</span>')  # a constant
EMPTY = mark_safe('<em class="cm-faint">empty</em>')  # a constant


@register.filter
def shown(value: Any) -> Any:
    """Return a value of a record as people read it: no blank cells, no Python words."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or EMPTY
    text = str(value)
    return format_html("{}@<wbr>{}", *text.split("@", 1)) if "@" in text and " " not in text else text


@register.filter
def grouped(number: int | None) -> str:
    """Return a whole number with its thousands apart."""
    return "–" if number is None else f"{number:,}"


@register.simple_tag
def record_link(entity_name: str, record_id: str, text: str = "") -> SafeString:
    """Return a link to a record's page, or only its text where there is no such page."""
    if not record_id:
        return DASH
    label = format_html('<code class="cm-id">{}</code>', text or record_id)
    try:
        stream = StreamKey.parse(f"{entity_name}#{record_id}")
    except InvalidIdError:
        return label
    address = reverse("admin:crm_events_record_page", args=stream)
    return format_html('<a class="cm-link" href="{}">{}</a>', address, label)
