"""Addresses of signing in and of one's own account."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from operations.views.operate import OperateView
from people.views import (
    account,
    acting,
    explain,
    feeds,
    keys,
    lists,
    names,
    people,
    person,
    quotas,
    reset,
    rights,
    teams,
    tokens,
    viewing,
)

_PERSON = "person/<str:name>/"

urlpatterns = [
    path("login/", login_not_required(account.SignIn.as_view()), name="login"),
    path("account/password/", account.ChangePassword.as_view(), name="change-password"),
    path("password/forgotten/", login_not_required(reset.Forgot.as_view()), name="forgot-password"),
    path("password/forgotten/sent/", login_not_required(reset.ForgotSent.as_view()), name="forgot-password-sent"),
    path("password/new/<str:uidb36>/<str:key>/", login_not_required(reset.NewPassword.as_view()), name="new-password"),
    path("account/keys/", keys.own_keys, name="own-keys"),
    path("people/<str:name>/keys/", keys.person_keys, name="person-keys"),
    path("people/<str:name>/keys/<path:fingerprint>/do/<slug:verb>/", OperateView.as_view(kind="key"), name="key-do"),
    path("explain/", explain.explain_page, name="explain"),
    path("account/tokens/", tokens.own_tokens, name="own-tokens"),
    path("people/<str:name>/tokens/", tokens.person_tokens, name="person-tokens"),
    path("people/<str:name>/tokens/<str:token>/do/<slug:verb>/", OperateView.as_view(kind="token"), name="token-do"),
    path("feeds/keys/", login_not_required(feeds.key_feed), name="key-feed"),
    path("feeds/keys/<slug:slug>/", login_not_required(feeds.key_feed), name="cluster-key-feed"),
    path("feeds/keys/<slug:slug>/<str:name>/", login_not_required(feeds.key_feed), name="vm-key-feed"),
    path("lists/", lists.choose, name="lists"),
    path("people/", people.people_list, name="people"),
    path("people/add/", people.AddPerson.as_view(), name="person-add"),
    path(_PERSON, person.person_overview, name="person"),
    path(f"{_PERSON}rights/", person.person_rights, name="person-rights"),
    path(f"{_PERSON}do/<slug:verb>/", OperateView.as_view(kind="person"), name="person-do"),
    path("clusters/<slug:slug>/rights/", rights.cluster_rights, name="cluster-rights"),
    path("clusters/<slug:slug>/vms/<str:name>/rights/", rights.vm_rights, name="vm-rights"),
    path("acting/", acting.acting, name="acting"),
    path("view-as/", viewing.view_as_somebody, name="view-as"),
    path("view-as/stop/", viewing.stop_viewing, name="view-as-stop"),
    path("names/", names.names, name="names"),
    path("teams/", teams.team_list, name="teams"),
    path("teams/do/create/", teams.team_create, name="team-create"),
    path("teams/<str:name>/", teams.team_members, name="team"),
    path("teams/<str:name>/machines/", teams.team_vms, name="team-vms"),
    path("teams/<str:name>/rights/", teams.team_rights, name="team-rights"),
    path("teams/<str:name>/do/<slug:verb>/", OperateView.as_view(kind="team"), name="team-do"),
    path("teams/<str:name>/usage/", quotas.team_usage, name="team-usage"),
    path(f"{_PERSON}usage/", quotas.person_usage, name="person-usage"),
    path("usage/", quotas.usage, name="usage"),
    path("clusters/<slug:slug>/quotas/", quotas.cluster_quotas, name="cluster-quotas"),
    path("logout/", login_not_required(account.SignOut.as_view()), name="logout"),
]
