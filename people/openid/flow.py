"""allauth's way through OpenID Connect, with what it takes on trust checked (people.openid.tokens)."""

import secrets
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialToken
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from people.openid.asking import Untrue, ask, may_be_asked, read_metadata, redeem
from people.openid.providers import Provider
from people.openid.tokens import add_userinfo, mark_of_subject, read_text, read_token
from ui.outside import address_of


def find_provider(key: str) -> Provider | None:
    """The provider with this key, if there is one."""
    return next((each for each in settings.GWM_OPENID_PROVIDERS if each.key == key), None)


def get_provider(key: str) -> Provider:
    """The same, of somebody who has come so far that there is one."""
    provider = find_provider(key)
    if provider is None:
        raise Http404
    return provider


class _Exchange(OpenIDConnectOAuth2Adapter):
    """The requests to the provider."""

    state: dict[str, Any]

    @property
    def _provider(self) -> Provider:
        return get_provider(self.provider_id)

    @property
    def openid_config(self) -> Any:
        """What the provider says of itself, asked once."""
        if not hasattr(self, "_openid_config"):
            self._openid_config = read_metadata(self._provider)
        return self._openid_config

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Where the provider sends people back to: the configured host, never one that a request named."""
        if settings.GWM_PUBLIC_URL:
            return address_of("openid-back", self.provider_id)
        return request.build_absolute_uri(reverse("openid-back", args=[self.provider_id]))

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Exchange the code."""
        form = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": self.get_callback_url(request, app),
            "code_verifier": pkce_code_verifier or "",
        }
        data = dict(redeem(self._provider, self.openid_config, form))
        if not isinstance(data.get("access_token"), str):
            raise Untrue("there is no access token")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """No token is kept: it would let whoever reads the database act elsewhere."""
        return SocialToken(token="")

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> Any:
        """Read what the provider says, and believe it if it may be believed."""
        provider, metadata, data = self._provider, self.openid_config, kwargs["response"]
        keys = ask(provider, metadata["jwks_uri"])
        claims = read_token(provider, keys, data.get("id_token"), self.state.get("nonce", ""))
        userinfo = metadata.get("userinfo_endpoint")
        if may_be_asked(provider, userinfo):
            claims = add_userinfo(claims, ask(provider, userinfo, bearer=data["access_token"]))
        login = self.get_provider().sociallogin_from_response(request, claims)
        login.claims = claims
        return login


class VerifiedProvider(OpenIDConnectProvider):
    """One of our providers, as allauth knows it. Always with PKCE."""

    pkce_enabled_default = True
    oauth2_adapter_class = _Exchange

    def extract_uid(self, data: dict[str, Any]) -> str:
        """See `mark_of_subject`."""
        return mark_of_subject(data["iss"], data["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """What the profile shows, and no more."""
        names = ("iss", "sub", get_provider(self.app.provider_id).username_claim)
        return {name: text for name in names if (text := read_text(data, name))}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing: what an account gets is read from the claims when one is made."""
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        """None: an address takes nobody's account over."""
        return []


class ComeBack(OAuth2CallbackView):
    """What happens when the provider sends somebody back."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        """What was kept when they were sent there, for the checks as well."""
        state, response = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, response


def send_there(request: HttpRequest, key: str, process: str, next_url: str, **kept: Any) -> str:
    """Where the provider signs people in; what is to be `kept` is in the session, with state, nonce and PKCE.

    NoAnswer, Untrue.
    """
    provider = _Exchange(request, key).get_provider()
    nonce = secrets.token_urlsafe(24)
    asked = {"nonce": nonce} | ({"prompt": "login", "max_age": "0"} if kept.get("again") else {})
    answer = provider.redirect(request, process, next_url=next_url, auth_params=asked, nonce=nonce, **kept)
    return str(answer["Location"])


def finish(request: HttpRequest, key: str) -> Any:
    """Let in whom the provider has sent back, or the answer that says why not. NoAnswer, Untrue."""
    view = ComeBack()
    view.request, view.adapter = request, _Exchange(request, key)
    try:
        return view.dispatch(request)
    except ImmediateHttpResponse as instead:
        return instead.response
