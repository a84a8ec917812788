"""Retry and discard as pages: what will happen, a reason, then the act; all by POST."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from crm_events.entry import dead_letter_desk
from crm_events.models import DeadLetter
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.services.actions import Operator

# A page of the list holds fewer; more at once would hold the request for long.
MAX_LETTERS = 500
_MIN_REASON = 10
Render = Callable[[HttpRequest, str, Mapping[str, Any]], TemplateResponse]


class ReasonForm(forms.Form):
    """Why an operator acts."""

    reason = forms.CharField(
        max_length=500, strip=True, widget=forms.Textarea(attrs={"rows": 3, "class": "cm-input cm-input--text"})
    )

    # The browser's own words would come before ours.
    use_required_attribute = False

    def __init__(self, *args: Any, required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required
        self.fields["reason"].error_messages["required"] = _WHY

    def clean_reason(self) -> str:
        """Refuse a reason that says nothing, where one is needed."""
        reason = str(self.cleaned_data["reason"])
        if self.fields["reason"].required and len(reason) < _MIN_REASON:
            raise forms.ValidationError(_WHY)
        return reason


_WHY = f"Say in at least {_MIN_REASON} characters why; it is kept in the audit."


class Act(NamedTuple):
    """Something an operator does to dead letters."""

    name: str
    verb: str
    icon: str
    permission: str
    reason_required: bool
    meaning: str
    do: Callable[[Sequence[DeadLetter], Operator], str]


def _retry(letters: Sequence[DeadLetter], operator: Operator) -> str:
    result = dead_letter_desk().retry(letters, operator, timezone.now())
    parts = [
        (result.passed, "passed"),
        (result.failed, "failed again and stay open"),
        (result.waking, "went back to be projected; their letters close when that succeeds"),
    ]
    return "Retried: " + ", ".join(f"{count} {word}" for count, word in parts if count) + "."


def _discard(letters: Sequence[DeadLetter], operator: Operator) -> str:
    count = dead_letter_desk().discard(letters, operator, timezone.now())
    return f"{count} dead {'letter' if count == 1 else 'letters'} discarded. Your reason is in the audit."


RETRY = Act(
    "retry",
    "Retry",
    "replay",
    "crm_events.retry_deadletter",
    reason_required=False,
    meaning="Events are read again with today’s code and go into the log; records are projected again. What fails"
    " again stays open.",
    do=_retry,
)
DISCARD = Act(
    "discard",
    "Discard",
    "delete",
    "crm_events.discard_deadletter",
    reason_required=True,
    meaning="The letters are closed without being handled. Events stay out of the log; a record that is blocked"
    " stays blocked. This cannot be undone.",
    do=_discard,
)


def perform(act: Act, request: HttpRequest, render: Render) -> HttpResponse:
    """Answer a step of an act: the question first, then the act itself once it is confirmed.

    :raises PermissionDenied: the user has no right to act.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(act.permission):
        raise PermissionDenied
    letters = _open_letters(request.POST.getlist("letter"))
    if not letters:
        messages.warning(request, "No open dead letter was chosen. Next: choose some in the list.")
        return redirect("admin:crm_events_deadletter_changelist")
    confirmed = "confirmed" in request.POST
    form = ReasonForm(request.POST if confirmed else None, required=act.reason_required)
    if confirmed and form.is_valid():
        _do(act, letters, request, form.cleaned_data["reason"])
        return redirect("admin:crm_events_deadletter_changelist")
    context = {"title": f"{act.verb} {_count(letters)}", "act": act, "letters": letters, "form": form}
    crumbs = [("Dead letters", "../")]
    response = render(request, "console/act.html", {**context, "crumbs": crumbs, "count": _count(letters)})
    response.status_code = 400 if confirmed else 200
    return response


def _do(act: Act, letters: Sequence[DeadLetter], request: HttpRequest, reason: str) -> None:
    try:
        done = act.do(letters, Operator(request.user.get_username(), reason))
    except EventStoreUnavailableError:
        words = "The event store does not answer, so not all of it was done. Next: do it again in a moment."
        messages.error(request, words)
    else:
        messages.success(request, done)


def _open_letters(ids: Sequence[str]) -> list[DeadLetter]:
    wanted = [int(each) for each in ids if each.isascii() and each.isdigit()][:MAX_LETTERS]
    return list(DeadLetter.objects.filter(pk__in=wanted, resolved_at=None).order_by("id"))


def _count(letters: Sequence[DeadLetter]) -> str:
    return f"{len(letters)} dead {'letter' if len(letters) == 1 else 'letters'}"
