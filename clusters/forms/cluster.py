"""What is asked about a cluster: when it is added, in steps, and when it is changed."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clusters.models import TlsTrust
from clusters.operations.wanted import ClusterSettings, explain_reserved, is_reserved
from clusters.saying import said
from operations.contract import AnyOperation
from operations.forms import OperationForm, asks_for
from rapi.trust import Trust, normalize_fingerprint
from ui.fields import PLAIN

_HOST = re.compile(r"[A-Za-z0-9._:%-]+")


class AddressForm(forms.Form):
    """Step 1: where it is."""

    host = forms.CharField(
        label=_("Address"),
        max_length=255,
        help_text=_("Name or address of the cluster itself (its master), IPv4 or IPv6, without https:// and port."),
        widget=forms.TextInput(attrs=PLAIN),
        error_messages={"required": _("Type the name or address of the cluster.")},
    )
    port = forms.IntegerField(
        label=_("Port"),
        min_value=1,
        max_value=65535,
        initial=5080,
        help_text=_("Ganeti's own is 5080."),
        error_messages={
            "required": _("Type the port; Ganeti's own is 5080."),
            "invalid": _("The port is a number, such as 5080."),
            "min_value": _("The port is between 1 and 65535."),
            "max_value": _("The port is between 1 and 65535."),
        },
    )

    def clean_host(self) -> str:
        """Without brackets; a URL that was pasted is told apart."""
        host = str(self.cleaned_data["host"]).strip().strip("[]")
        if "//" in host or "/" in host:
            raise forms.ValidationError(
                _("Leave out https:// and everything after the name; the port has its own field.")
            )
        if not _HOST.fullmatch(host):
            raise forms.ValidationError(
                _("This is neither a host name nor an address. Letters, digits, dots and - only.")
            )
        return host


class _TrustFields(forms.Form):
    """By what the certificate is verified."""

    tls_trust = forms.ChoiceField(
        label=_("Trust"),
        choices=[
            (TlsTrust.PIN, _("exactly this certificate, by its fingerprint")),
            (TlsTrust.CA, _("custom CA")),
            (TlsTrust.SYSTEM, _("system CAs")),
        ],
        initial=TlsTrust.PIN,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose by what the certificate is verified.")},
    )
    tls_fingerprint = forms.CharField(
        label=_("SHA-256 fingerprint"),
        required=False,
        max_length=200,
        help_text=_("On the master: openssl x509 -noout -fingerprint -sha256 -in /var/lib/ganeti/rapi.pem"),
        widget=forms.TextInput(attrs={**PLAIN, "class": "mono"}),
    )
    tls_ca_pem = forms.CharField(
        label=_("CA certificate"),
        required=False,
        max_length=60_000,
        help_text=_("PEM, beginning with -----BEGIN CERTIFICATE-----. Only for a custom CA."),
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """The field that the choice needs must be filled in, and well."""
        given = super().clean() or self.cleaned_data
        kind = given.get("tls_trust")
        if kind == TlsTrust.PIN:
            try:
                given["tls_fingerprint"] = normalize_fingerprint(given.get("tls_fingerprint", ""))
            except ValueError:
                self.add_error(
                    "tls_fingerprint", _("Type the fingerprint: 64 hexadecimal digits, colons do not matter.")
                )
        elif kind == TlsTrust.CA:
            try:
                Trust.authority(given.get("tls_ca_pem", ""))
            except ValueError as error:
                self.add_error("tls_ca_pem", _("%s Paste the authority's certificate as PEM.") % said(error))
        return given


class _AboutFields(forms.Form):
    """What we call it, and what we may do."""

    slug = forms.CharField(
        label=_("Short name"),
        max_length=100,
        help_text=_("Its name in URLs and on the command line: lower-case letters, digits and -."),
        widget=forms.TextInput(attrs=PLAIN),
        error_messages={"required": _("Give it a short name.")},
    )
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    read_only = forms.BooleanField(
        label=_("Read only"), required=False, help_text=_("Show everything and change nothing on it.")
    )

    def clean_slug(self) -> str:
        """As addresses need it."""
        slug = str(self.cleaned_data["slug"]).strip()
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", slug):
            raise forms.ValidationError(_("Lower-case letters, digits and -, beginning with a letter or digit."))
        if is_reserved(slug):
            raise forms.ValidationError(explain_reserved(slug))
        return slug


class _CredentialFields(forms.Form):
    """As whom we sign in. A password is never put into a page."""

    username = forms.CharField(
        label=_("RAPI user"),
        max_length=100,
        required=False,
        help_text=_(
            "From /var/lib/ganeti/rapi/users on the master, with the word write. Empty: nothing can be changed."
        ),
        widget=forms.TextInput(attrs=PLAIN),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class AddForm(_CredentialFields, _TrustFields, _AboutFields):
    """Step 2: what it is called, by what it is trusted, and as whom we sign in; with the address of step 1."""

    host = forms.CharField(label=_("Address"), widget=forms.HiddenInput)
    port = forms.IntegerField(label=_("Port"), widget=forms.HiddenInput)
    field_order = [
        "username",
        "password",
        "tls_trust",
        "tls_fingerprint",
        "tls_ca_pem",
        "slug",
        "description",
        "read_only",
    ]

    def settings(self, password: str) -> ClusterSettings:
        """What was said, with the password that was typed now or before."""
        given = self.cleaned_data
        return ClusterSettings(
            slug=given["slug"],
            host=given["host"],
            port=given["port"],
            description=given["description"],
            username=given["username"],
            password=password,
            tls_trust=given["tls_trust"],
            tls_fingerprint=given["tls_fingerprint"] if given["tls_trust"] == TlsTrust.PIN else "",
            tls_ca_pem=given["tls_ca_pem"] if given["tls_trust"] == TlsTrust.CA else "",
            read_only=given["read_only"],
        )


class EditForm(AddressForm, _CredentialFields, _TrustFields, _AboutFields):
    """Everything at once. An empty password keeps the one that is stored."""

    vnc_password = forms.CharField(
        label=_("VNC password"),
        max_length=8,
        required=False,
        strip=False,
        help_text=_("What the machines' VNC servers ask for, if anything. Empty: keep the one stored."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_vnc_password = forms.BooleanField(label=_("Forget the stored VNC password"), required=False)
    field_order = [
        "host",
        "port",
        "username",
        "password",
        "tls_trust",
        "tls_fingerprint",
        "tls_ca_pem",
        "vnc_password",
        "forget_vnc_password",
        "slug",
        "description",
        "read_only",
    ]

    def __init__(self, *args: Any, may_point: bool = True, **kwargs: Any) -> None:
        """Without `may_point` the fields that say where to connect keep their initial values, whatever is sent."""
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = _("Empty: keep the one stored. Another user, address or trust needs it.")
        for name in () if may_point else ("host", "port", *_TrustFields.base_fields):
            self.fields[name].disabled = True
        if not may_point:
            self.fields["host"].help_text = _("Only administrators may change address and trust.")

    def settings(self) -> ClusterSettings:
        """What was said; None for a password that is to be kept."""
        given = self.cleaned_data
        return ClusterSettings(
            **{name: given[name] for name in ("slug", "host", "port", "description", "username", "read_only")},
            password=(given["password"] or None) if given["username"] else "",
            vnc_password=given["vnc_password"] or ("" if given["forget_vnc_password"] else None),
            tls_trust=given["tls_trust"],
            tls_fingerprint=given["tls_fingerprint"] if given["tls_trust"] == TlsTrust.PIN else "",
            tls_ca_pem=given["tls_ca_pem"] if given["tls_trust"] == TlsTrust.CA else "",
        )


def describe_cluster(cluster: Any) -> dict[str, Any]:
    """What an edit form starts with: everything but secrets."""
    names = (
        "slug",
        "host",
        "port",
        "description",
        "username",
        "read_only",
        "tls_trust",
        "tls_fingerprint",
        "tls_ca_pem",
    )
    return {name: getattr(cluster, name) for name in names}


@asks_for("cluster.add")
class AddOperationForm(AddForm, OperationForm):
    """Adding in one go."""

    def params(self, operation: AnyOperation) -> ClusterSettings:
        return self.settings(self.cleaned_data["password"])


@asks_for("cluster.edit")
class EditOperationForm(EditForm, OperationForm):
    """What is not said stays as it is."""

    def __init__(self, data: Any = None, *, target: Any = None, **options: Any) -> None:
        if data is not None and target is not None:
            data = {**describe_cluster(target), **data}
        super().__init__(data, target=target, **options)

    def params(self, operation: AnyOperation) -> ClusterSettings:
        return self.settings()
