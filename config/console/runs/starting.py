"""Start a backfill: which rows, then what reading them takes, then the start itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from config.console.calls import call_budget
from config.console.runs.words import title_of
from config.objects import UnknownNameError, salesforce_object
from crm_events.admin.acts import ReasonForm, Render
from crm_events.backends import crm_source, has_crm_source, runs
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.entry import command_service
from crm_events.ports.commands import StartBackfill
from crm_events.ports.crm_source import (
    CrmSourceError,
    NoSourceError,
    SourceAccessError,
    SourceLimitError,
    SourceRefusedError,
)
from crm_events.services.backfill import KIND, BackfillOptions, Mode
from crm_events.services.expectations import Expectation, expect
from crm_mappings.registry import all_mappings

_MAX_IDS = 10_000
_MODES = [
    (Mode.AUTO.value, "By itself: REST for few rows, a bulk job for many"),
    (Mode.REST.value, "REST, page by page"),
    (Mode.BULK.value, "A bulk job, which Salesforce prepares"),
]
WAYS = {Mode.REST: "REST", Mode.BULK: "Bulk job", Mode.AUTO: "By itself"}
_TEXT = {"class": "cm-input cm-input--text"}
# What Salesforce answers where the object, not the condition, is what it refuses.
_OBJECT_CODES = frozenset({"INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS"})


class BackfillForm(ReasonForm):
    """Which rows to bring in, how, and why."""

    entity = forms.CharField(
        max_length=100, widget=forms.TextInput(attrs={**_TEXT, "list": "cm-objects", "autocomplete": "off"})
    )
    since = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"class": "cm-input", "type": "datetime-local"}),
    )
    where = forms.CharField(
        required=False, max_length=4_000, widget=forms.Textarea(attrs={**_TEXT, "rows": 2, "spellcheck": "false"})
    )
    ids = forms.CharField(
        required=False, max_length=250_000, widget=forms.Textarea(attrs={**_TEXT, "rows": 2, "spellcheck": "false"})
    )
    mode = forms.ChoiceField(
        required=False, choices=_MODES, initial=Mode.AUTO.value, widget=forms.Select(attrs={"class": "cm-input"})
    )
    include_deleted = forms.BooleanField(required=False)
    dry_run = forms.BooleanField(required=False)
    broadcast = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, required=True, **kwargs)
        self.fields["entity"].error_messages["required"] = "Name an object: client, or Account."
        self.fields["since"].error_messages["invalid"] = "Wanted a day and a time such as 2026-10-06T07:20."

    def clean_entity(self) -> str:
        """Return the Salesforce object."""
        try:
            return salesforce_object(str(self.cleaned_data["entity"]).strip())
        except UnknownNameError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_since(self) -> datetime | None:
        """Refuse a time that has not come."""
        since: datetime | None = self.cleaned_data["since"]
        if since is not None and since > timezone.now():
            raise forms.ValidationError("This time has not come yet, so no row is as new as that.")
        return since

    def clean_ids(self) -> list[str]:
        """Return the ids, each once and in full."""
        texts = str(self.cleaned_data["ids"]).replace(",", " ").split()
        if len(texts) > _MAX_IDS:
            raise forms.ValidationError(f"At most {_MAX_IDS:,} at once; there are {len(texts):,} here.")
        try:
            return list(dict.fromkeys(normalize_id(text) for text in texts))
        except InvalidIdError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Refuse what contradicts itself."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("ids") and (cleaned.get("since") or cleaned.get("where")):
            self.add_error("ids", "Name records, or say which rows by time and condition; not both.")
        if cleaned.get("ids") and cleaned.get("mode") == Mode.BULK.value:
            self.add_error("mode", "Records that are named are read by REST.")
        return cleaned

    def options(self) -> BackfillOptions:
        """Return the options of the run."""
        cleaned = self.cleaned_data
        return BackfillOptions(
            since=cleaned["since"],
            where=cleaned["where"],
            ids=tuple(cleaned["ids"]),
            mode=Mode(cleaned["mode"] or Mode.AUTO),
            dry_run=cleaned["dry_run"],
            broadcast=cleaned["broadcast"],
            include_deleted=cleaned["include_deleted"],
        )


def answer(request: HttpRequest, render: Render) -> HttpResponse:
    """Answer a step: the questions, the sheet with what it takes, or the start."""
    step = request.POST.get("step", "") if request.method == "POST" else ""
    if step not in ("look", "start"):
        given = request.POST if step else request.GET
        return _questions(request, render, BackfillForm(initial=_initial(given.dict())))
    form = BackfillForm(request.POST)
    if not form.is_valid() or not has_crm_source():
        return _questions(request, render, form)
    if step == "start":
        return _start(request, form)
    try:
        expected = expect(crm_source(), runs(), form.cleaned_data["entity"], form.options())
    except CrmSourceError as error:
        _explain(form, error)
        return _questions(request, render, form)
    return render(request, "console/backfill_sheet.html", _sheet(form, expected))


def _initial(given: Mapping[str, str]) -> dict[str, Any]:
    fields: Mapping[str, Any] = BackfillForm.base_fields
    # The sheet sends boxes that nobody ticked as “False”, which a box would take for a tick.
    return {name: value for name, value in given.items() if name in fields and value != "False"}


def _questions(request: HttpRequest, render: Render, form: BackfillForm) -> HttpResponse:
    context = {
        "title": "Backfill",
        "form": form,
        "objects": sorted({name for each in all_mappings() for name in (each.source, each.entity)}),
        "no_source": "" if has_crm_source() else str(NoSourceError().detail),
    }
    response = render(request, "console/backfill.html", context)
    response.status_code = 400 if form.is_bound else 200
    return response


def _start(request: HttpRequest, form: BackfillForm) -> HttpResponse:
    reason = form.cleaned_data["reason"]
    command = StartBackfill(
        form.cleaned_data["entity"], form.options().to_parameters(), request.user.get_username(), reason
    )
    run_id = command_service().start_backfill(command, timezone.now())
    messages.success(request, f"Run {run_id} is queued. A worker takes it within seconds.")
    return redirect("admin:crm_events_run_change", run_id)


def _sheet(form: BackfillForm, expected: Expectation) -> dict[str, Any]:
    entity = form.cleaned_data["entity"]
    unfinished = runs().find_unfinished(KIND, entity)
    return {
        "title": "Before you start",
        "crumbs": [("Backfill", reverse("admin:crm_events_run_backfill"))],
        "form": form,
        "entity": entity,
        "options": form.options(),
        "expected": expected,
        "way": WAYS[expected.mode],
        "rate": expected.rows / expected.seconds if expected.seconds else None,
        "budget": call_budget(timezone.now()),
        "unfinished": unfinished,
        "unfinished_title": title_of(unfinished) if unfinished else "",
    }


def _explain(form: BackfillForm, error: CrmSourceError) -> None:
    """Say at the field it is about what Salesforce answered, and what to do."""
    if isinstance(error, SourceRefusedError) and (form.cleaned_data["where"] and error.code not in _OBJECT_CODES):
        form.add_error("where", f"Salesforce refuses the condition: {error}. Next: correct it.")
    elif isinstance(error, SourceRefusedError):
        form.add_error("entity", f"Salesforce refuses the question: {error}. Next: check the name and the rights.")
    elif isinstance(error, SourceLimitError):
        form.add_error(None, f"Salesforce takes no more calls for now: {error}. Next: try again in an hour.")
    elif isinstance(error, SourceAccessError):
        form.add_error(None, f"Salesforce does not let us in: {error}. Next: run manage.py doctor, which says why.")
    else:
        form.add_error(None, f"Salesforce does not answer: {error}. Next: try again in a moment.")
