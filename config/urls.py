"""Every address the service answers on."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config.health import live, ready
from config.metrics.views import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/", include("crm_api.urls")),
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
]

# Below /api/ these answer with problem details, elsewhere with Django's own pages.
handler400 = "crm_api.problems.bad_request"
handler404 = "crm_api.problems.not_found"
handler500 = "crm_api.problems.server_error"
