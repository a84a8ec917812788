"""Start checks: which, of which objects, and whether differences are mended."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from config.console.runs.words import CHECK_MEANINGS, CHECKS
from config.console.trouble import NO_STORE
from crm_events.admin.acts import ReasonForm, Render
from crm_events.backends import event_store, has_crm_source, runs
from crm_events.domain.drift import OF_SALESFORCE, Check, run_kind
from crm_events.entry import command_service
from crm_events.ports.commands import StartRun
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.running.checks import check_targets


class ChecksForm(ReasonForm):
    """What to compare, and why."""

    entity = forms.ChoiceField(required=False, widget=forms.Select(attrs={"class": "cm-input"}))
    checks = forms.MultipleChoiceField(error_messages={"required": "Choose at least one check."})
    only_report = forms.BooleanField(required=False)

    def __init__(self, *args: Any, objects: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, required=True, **kwargs)
        fields: Any = self.fields
        fields["entity"].choices = [("", "All objects in the log"), *((name, name) for name in objects)]
        fields["checks"].choices = [(check.value, words) for check, words in CHECKS.items() if can_be_done(check)]


def can_be_done(check: Check) -> bool:
    """Say whether what the check reads is set up."""
    return has_crm_source() or check not in OF_SALESFORCE


def answer(request: HttpRequest, render: Render) -> HttpResponse:
    """Answer with the questions, or start what was chosen."""
    try:
        objects = event_store().entity_names()
    except EventStoreUnavailableError:
        response = render(request, "console/unavailable.html", {"title": "Reconcile", "trouble": NO_STORE})
        response.status_code = 503
        return response
    posted = request.method == "POST"
    form = ChecksForm(request.POST if posted else None, objects=objects)
    if posted and form.is_valid():
        return _start(request, form, objects)
    response = render(request, "console/reconcile.html", _questions(form, objects))
    response.status_code = 400 if posted else 200
    return response


def _questions(form: ChecksForm, objects: Sequence[str]) -> dict[str, Any]:
    chosen = form.data.getlist("checks") if form.is_bound else []  # type: ignore[attr-defined]
    offered = [
        (check.value, words, CHECK_MEANINGS[check], can_be_done(check), check.value in chosen)
        for check, words in CHECKS.items()
    ]
    return {"title": "Reconcile", "form": form, "checks": offered, "objects": objects, "has_source": has_crm_source()}


def _start(request: HttpRequest, form: ChecksForm, objects: Sequence[str]) -> HttpResponse:
    cleaned, by = form.cleaned_data, request.user.get_username()
    wanted = [cleaned["entity"]] if cleaned["entity"] else list(objects)
    parameters = {"repair": not cleaned["only_report"]}
    starts = [
        StartRun(run_kind(check), target, parameters, by, cleaned["reason"])
        for check in map(Check, cleaned["checks"])
        for target in check_targets(check, wanted)
    ]
    free = [start for start in starts if runs().find_unfinished(start.kind, start.target) is None]
    started = [command_service().start_run(start, timezone.now()) for start in free]
    _tell(request, len(started), len(starts) - len(free))
    if len(started) == 1:
        return redirect("admin:crm_events_run_change", started[0])
    return redirect(f"{reverse('admin:crm_events_run_changelist')}?kind=checks")


def _tell(request: HttpRequest, started: int, under_way: int) -> None:
    if started:
        messages.success(request, f"{started} {'check is' if started == 1 else 'checks are'} queued.")
    if under_way:
        words = "check was" if under_way == 1 else "checks were"
        messages.warning(request, f"{under_way} {words} under way already and not started again.")
    if not started and not under_way:
        messages.warning(request, "Nothing to compare: the log knows no object yet. Next: send the first event.")
