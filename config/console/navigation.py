"""The menu: what there is to watch and to administer, as far as the user may see it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from crm_events import selectors

_MANY = 999


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of a user, in Unfold's form, badges included."""
    letters, running = selectors.open_dead_letters(_MANY + 1), selectors.unfinished_runs()
    watch = [
        _item(request, "Start", "monitor_heart", "index"),
        _item(request, "Records", "manage_search", "crm_events_record_changelist", "crm_events.view_record"),
        _item(request, "Documents", "description", "crm_events_record_documents", "crm_events.view_record"),
        _item(request, "Feeds", "sensors", "crm_events_feed_changelist", "crm_events.view_feed")
        | _badge(selectors.stalled_feeds(), "bad", "stalled"),
        _item(request, "Differences", "difference", "crm_events_drift_changelist", "crm_events.view_drift"),
        _item(request, "Deliveries", "inbox", "crm_events_delivery_changelist", "crm_events.view_delivery"),
        _item(request, "Dead letters", "mark_email_unread", "crm_events_deadletter_changelist", _LETTERS)
        | _badge(letters, "bad", "open"),
        _item(request, "Notices", "campaign", "crm_events_notice_changelist", "crm_events.view_notice"),
        _item(request, "Runs", "play_circle", "crm_events_run_changelist", "crm_events.view_run")
        | _badge(running, "run", "not finished"),
    ]
    start = ["crm_events.view_run", "crm_events.start_run"]
    act = [
        _item(request, "Backfill", "cloud_download", "crm_events_run_backfill", *start),
        _item(request, "Reconcile", "fact_check", "crm_events_run_check", *start),
    ]
    administer = [
        _item(
            request, "Audit", "history_edu", "crm_events_operatoraction_changelist", "crm_events.view_operatoraction"
        ),
        _item(request, "API keys", "key", "crm_api_apikey_changelist", "crm_api.view_apikey"),
        _item(
            request,
            "Schedules",
            "calendar_clock",
            "django_celery_beat_periodictask_changelist",
            "django_celery_beat.view_periodictask",
        ),
        _item(request, "Users", "group", "auth_user_changelist", "auth.view_user"),
        _item(request, "Groups", "groups", "auth_group_changelist", "auth.view_group"),
    ]
    return [
        {"title": "Watch", "items": _allowed(watch)},
        {"title": "Act", "items": _allowed(act)},
        {"title": "Administer", "items": _allowed(administer)},
    ]


_LETTERS = "crm_events.view_deadletter"
_OF_THEIR_OWN = frozenset({"crm_events_record_documents", "crm_events_run_backfill", "crm_events_run_check"})


def _item(request: HttpRequest, title: str, icon: str, page: str, *permissions: str) -> dict[str, Any]:
    allowed = request.user.has_perms(permissions)
    return {"title": title, "icon": icon, "link": reverse(f"admin:{page}"), "active": _is_here(request, page)} | {
        "allowed": allowed
    }


def _is_here(request: HttpRequest, page: str) -> bool:
    """Say whether the request is for the page or one below it; some pages below others have an item of their own."""
    match = request.resolver_match
    here = match.url_name if match is not None and match.url_name else ""
    if here == page:
        return True
    if here in _OF_THEIR_OWN or page in _OF_THEIR_OWN:
        return False
    return page.endswith("_changelist") and here.startswith(page.removesuffix("changelist"))


def _badge(count: int, tone: str, meaning: str) -> dict[str, Any]:
    if not count:
        return {}
    return {"badge": f"{_MANY}+" if count > _MANY else str(count), "badge_tone": tone, "badge_meaning": meaning}


def _allowed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item.pop("allowed")]
