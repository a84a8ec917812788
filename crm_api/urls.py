"""The addresses of the API, below ``/api/``."""

from django.urls import URLPattern, path, re_path

from crm_api.openapi import describe_document, describe_history, describe_list
from crm_api.views.description import Docs, MessageSchema, OpenApi, unknown_address
from crm_api.views.entities import EntityDocument, EntityList, Fetch, document_view, list_view
from crm_api.views.history import RecordEvents, history_view
from crm_api.views.ingest import Delivery, Events
from crm_api.views.runs import Differences, Estimate, Run, Runs, steering_view
from crm_events.ports.commands import Steering
from crm_projections.ports.queries import CrmQueryService

_TYPED: dict[str, tuple[str, Fetch]] = {
    "clients": ("client", CrmQueryService.clients),
    "contacts": ("contact", CrmQueryService.contacts),
    "contracts": ("contract", CrmQueryService.contracts),
    "deals": ("deal", CrmQueryService.deals),
    "leads": ("lead", CrmQueryService.leads),
}


def _typed(plural: str, entity: str, fetch: Fetch) -> list[URLPattern]:
    return [
        path(f"v1/{plural}/", list_view(entity, fetch).as_view(), name=plural),
        path(f"v1/{plural}/<str:entity_id>/", document_view(entity).as_view(), name=entity),
        path(f"v1/{plural}/<str:entity_id>/events/", history_view(entity).as_view(), name=f"{entity}-events"),
    ]


urlpatterns: list[URLPattern] = [
    path("v1/events/", Events.as_view(), name="events"),
    path("v1/deliveries/<str:delivery_id>/", Delivery.as_view(), name="delivery"),
    *(pattern for plural, (entity, fetch) in _TYPED.items() for pattern in _typed(plural, entity, fetch)),
    path("v1/entities/<str:entity>/", describe_list(EntityList).as_view(), name="entities"),
    path("v1/entities/<str:entity>/<str:entity_id>/", describe_document(EntityDocument).as_view(), name="entity"),
    path(
        "v1/entities/<str:entity>/<str:entity_id>/events/",
        describe_history(RecordEvents).as_view(),
        name="entity-events",
    ),
    path("v1/runs/", Runs.as_view(), name="runs"),
    path("v1/runs/estimate/", Estimate.as_view(), name="runs-estimate"),
    path("v1/runs/<str:run_id>/", Run.as_view(), name="run"),
    path("v1/runs/<str:run_id>/differences/", Differences.as_view(), name="run-differences"),
    *(
        path(f"v1/runs/<str:run_id>/{steering}/", steering_view(steering).as_view(), name=f"run-{steering}")
        for steering in Steering
    ),
    path("v1/schema/", OpenApi.as_view(), name="schema"),
    path("v1/schemas/entity-changed.json", MessageSchema.as_view(), name="message-schema"),
    path("docs/", Docs.as_view(), name="docs"),
    # Problem details instead of Django's page, in debug mode too.
    re_path(r"", unknown_address),
]
