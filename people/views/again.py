"""Asks for one's password once more, before what can't be undone."""

from typing import Any

from allauth.account import views
from allauth.account.forms import ReauthenticateForm
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.edit import FormView

from operations.views.operate import OperateView
from people.proving import was_proven
from people.signing_in import refuse_uncounted
from permissions.signed_in import person_of


class PasswordAgainForm(ReauthenticateForm):
    """One's password; attempts are counted like those to sign in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["password"]
        field.label, field.help_text = gettext_lazy("Your password"), ""
        field.error_messages["required"] = gettext_lazy("Enter your password.")
        field.widget.attrs.pop("placeholder", None)


class PasswordAgain(views.ReauthenticateView):
    """Leads back to where it was asked for."""

    template_name = "people/again.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """For who has a password here, and only while attempts can be counted."""
        if not person_of(request).has_usable_password():
            raise PermissionDenied(_("Your account has no password here. Ask your administrator."))
        response: HttpResponseBase = refuse_uncounted(request) or super().dispatch(request, *args, **kwargs)
        return response

    def get_form_class(self) -> type[PasswordAgainForm]:
        """Ours."""
        return PasswordAgainForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without links to allauth's other pages."""
        return {**FormView.get_context_data(self, **kwargs), "next": self.get_next_url() or ""}


class OperateOnPerson(OperateView):
    """The page behind the buttons of an account; before some of them one's password is asked for."""

    kind = "person"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who may not do it is told so first."""
        if request.method in ("GET", "HEAD", "POST"):
            where = dict(kwargs)
            operation, _target = self._find(request, where.pop("verb"), where)
            if getattr(operation, "asks_again", False) and not was_proven(request):
                return redirect(f"{reverse('password-again')}?{urlencode({'next': request.get_full_path()})}")
        return super().dispatch(request, *args, **kwargs)
