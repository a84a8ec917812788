"""API keys in the console: make one, see when it was last used, revoke it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from crm_api.auth import create_key, revoke_key
from crm_api.models import ApiKey, Scope
from crm_events.services.actions import Operator, record_action

_ACTIVE, _EXPIRED, _REVOKED = "Active", "Expired", "Revoked"


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new key needs."""

    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget)
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextareaWidget, help_text="Kept with your name.")

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")

    def clean_expires_at(self) -> Any:
        """Refuse an end in the past."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This moment is past. Choose a later one, or none.")
        return expires_at


class RevokeForm(forms.Form):
    """Why keys are revoked."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextareaWidget)


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]
    """Keys are made and revoked, never changed or deleted: what they did must stay explainable."""

    form = ApiKeyForm
    list_display = ("name", "shown_prefix", "shown_scopes", "state", "last_used_at", "created_at", "expires_at")
    search_fields = ("name", "prefix")
    actions = ("revoke",)
    readonly_fields = ("shown_prefix", "shown_scopes", "state", "created_at", "last_used_at", "revoked_at")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Show the form for a new key, the facts of an old one."""
        return (
            ("name", "scopes", "expires_at", "reason") if obj is None else ("name", *self.readonly_fields, "expires_at")
        )

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:  # noqa: ARG002
        """Keys do not change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:  # noqa: ARG002
        """Keys are revoked instead."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may make keys may revoke them."""
        return bool(self.has_add_permission(request))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: ARG002
        """Make the key; the page that follows shows it."""
        now = timezone.now()
        row, key = create_key(obj.name, form.cleaned_data["scopes"], now, obj.expires_at)
        obj.__dict__.update(row.__dict__)
        request.new_api_key = key  # type: ignore[attr-defined]
        operator = _operator(request, form.cleaned_data["reason"])
        record_action(operator, "create API key", str(row), now, {"scopes": row.scopes})

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """Show the new key, this once; no cookie or session ever holds it."""
        context = {**self.admin_site.each_context(request), "title": f"The key of {obj.name}", "opts": self.opts}
        context["key"] = request.new_api_key  # type: ignore[attr-defined]
        response = TemplateResponse(request, "crm_api/admin/created.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Revoke…", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Ask why, then end the chosen keys from the next request on."""
        form = RevokeForm(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            revoked = self._revoke(queryset, _operator(request, form.cleaned_data["reason"]))
            self.message_user(request, f"Revoked {revoked} of {len(queryset)} keys. Requests with them get a 401.")
            return None
        context = {**self.admin_site.each_context(request), "title": "Revoke API keys", "opts": self.opts}
        return TemplateResponse(request, "crm_api/admin/revoke.html", {**context, "form": form, "keys": queryset})

    @staticmethod
    def _revoke(keys: QuerySet[ApiKey], operator: Operator) -> int:
        now = timezone.now()
        revoked = [key for key in keys if revoke_key(key.pk, now)]
        for key in revoked:
            record_action(operator, "revoke API key", str(key), now)
        return len(revoked)

    @admin.display(description="Begins with")
    def shown_prefix(self, key: ApiKey) -> str:
        """Return the beginning of the key."""
        return f"{key.prefix}…"

    @admin.display(description="Scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        """Return the scopes as text."""
        return ", ".join(key.scopes)

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        """Return whether the key works."""
        if key.revoked_at is not None:
            return _REVOKED
        return _EXPIRED if key.expires_at is not None and key.expires_at <= timezone.now() else _ACTIVE


def _operator(request: HttpRequest, reason: str = "") -> Operator:
    return Operator(request.user.get_username(), reason)
