"""Every URL of the product."""

from django.urls import URLPattern, URLResolver, path

from gwm.health import healthz, readyz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
