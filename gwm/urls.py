"""Every URL of the product, except those that the web process answers itself (gwm/processes/web.py)."""

from django.urls import URLPattern, URLResolver, include, path

from gwm.views import about, clusters, errors, health, journal, live, overview
from gwm.views.styleguide import styleguide
from people.answers import too_many_requests

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("people.urls")),
    path("", overview.overview, name="overview"),
    path("dock/", live.dock, name="dock"),
    path("live/ages/", live.ages, name="live-ages"),
    path("live/changed/", live.changed, name="live-changed"),
    path("clusters/", clusters.cluster_list, name="clusters"),
    path("", include("operations.urls")),
    path("", include("clusters.urls")),
    path("clusters/<slug:slug>/", clusters.cluster_overview, name="cluster"),
    path("clusters/<slug:slug>/nodes/<str:name>/", clusters.node_overview, name="node"),
    path("", include("virtualmachines.urls")),
    path("clusters/<slug:slug>/vms/<str:name>/journal/", journal.vm_journal, name="vm-journal"),
    path("clusters/<slug:slug>/journal/", journal.cluster_journal, name="cluster-journal"),
    path("clusters/<slug:slug>/nodes/<str:name>/journal/", journal.node_journal, name="node-journal"),
    path("templates/<slug:slug>/<str:name>/journal/", journal.template_journal, name="template-journal"),
    path("person/<str:name>/journal/", journal.person_journal, name="person-journal"),
    path("teams/<str:name>/journal/", journal.team_journal, name="team-journal"),
    path("journal/", journal.journal, name="journal"),
    path("about/", about.about, name="about"),
    path("health/", health.health, name="health"),
    path("styleguide/", styleguide, name="styleguide"),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler429 = too_many_requests
handler500 = errors.server_error
