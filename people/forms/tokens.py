"""What one is asked about a token."""

from typing import Any

from django import forms
from django.db.models import Model
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from people.forms.rights import MomentField
from people.words import EVERYTHING
from permissions.kinds import KINDS

_ON = ("vm", "cluster")


@asks_for("token.add")
class TokenForm(OperationForm):
    """What it is called, on what it counts, and until when."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("What uses it, such as install-hook."),
        error_messages={"required": gettext_lazy("Give it a name, such as install-hook.")},
    )
    on = forms.CharField(
        label=gettext_lazy("For the keys of"),
        max_length=300,
        help_text=gettext_lazy("A cluster, a machine as CLUSTER/MACHINE, or everything."),
        error_messages={"required": gettext_lazy("Name a cluster, a machine as CLUSTER/MACHINE, or everything.")},
    )
    until = MomentField(
        label=gettext_lazy("Until"),
        initial="52w",
        help_text=gettext_lazy("A day such as 2030-12-31, or a span such as 30d, 52w."),
    )
    secret = forms.CharField(label=gettext_lazy("Token"), widget=forms.HiddenInput(), max_length=200)

    def clean_on(self) -> Model | None:
        """What is meant, among what the person may see; None is everything."""
        text = self.cleaned_data["on"]
        if text == EVERYTHING:
            return None
        for kind in (KINDS[name] for name in _ON):
            where = kind.parse(text)
            try:
                if where is not None and self.actor is not None:
                    found: Any = kind.find(self.actor.user, **where)
                    return found  # type: ignore[no-any-return]
            except Http404:
                continue
        raise forms.ValidationError(_("There is no %s that you may see.") % text)
