"""The page Prometheus reads."""

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from config.metrics.collector import ServiceCollector
from config.metrics.instruments import durations_registry
from crm_api.auth import authenticate_request
from crm_api.models import Scope
from crm_api.problems import problem_response
from crm_events.domain.errors import CrmError


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures, to a key that may read."""
    try:
        authenticate_request(request, Scope.READ)
        text = _figures() + generate_latest(durations_registry())
    except (CrmError, DatabaseError) as error:
        return problem_response(error)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _figures() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(timezone.now()))
    return generate_latest(registry)
