"""A machine to be made, as data: for the command line, batches and the API. Pages have forms that make such data."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from objectlog.models import Entry
from operations.contract import AnyOperation
from operations.forms import OperationForm, asks_for
from permissions.models import Persona, User
from permissions.policy import can
from permissions.selectors import find_persona
from virtualmachines.known_teams import find_known_persona
from virtualmachines.operations.creating import CreateParams
from virtualmachines.spec import BadData, spec_from_data


@asks_for("vm.create")
class CreateForm(OperationForm):
    """The spec as JSON, see `virtualmachines.spec`. Without `nics` it gets one network card, as the cluster has it."""

    spec = forms.JSONField(
        label=gettext_lazy("Machine"),
        help_text=gettext_lazy(
            'As JSON, such as {"name": "web1.example.org", "os": "debian", "disks": [{"size_mib": 10240}]}.'
        ),
        error_messages={"invalid": gettext_lazy("This is no JSON.")},
    )
    owner = forms.CharField(
        label=gettext_lazy("Owner"),
        required=False,
        help_text=gettext_lazy("You, or a team as @team. Empty: as whom you act."),
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), required=False, max_length=10_000, widget=forms.Textarea)

    is_protected = forms.BooleanField(
        label=gettext_lazy("Protected"),
        required=False,
        help_text=gettext_lazy("It is not deleted or reinstalled before somebody takes the protection away."),
    )

    asked = forms.CharField(
        label=gettext_lazy("Request"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("The number of the request that it answers."),
    )
    plan = forms.UUIDField(label=gettext_lazy("Plan"), required=False, widget=forms.HiddenInput)

    def clean_spec(self) -> Any:
        """A spec; names are written in lower case."""
        data = self.cleaned_data["spec"]
        if isinstance(data, dict):
            data = {"nics": [{}], **data}
            if isinstance(data.get("name"), str):
                data["name"] = data["name"].strip().lower()
        try:
            return spec_from_data(data)
        except BadData as bad:
            raise ValidationError(str(bad)) from bad

    def clean_owner(self) -> Any:
        """Who may be the owner is told from who is not in the same words as from who does not exist."""
        name = self.cleaned_data["owner"].strip()
        if not name or self.actor is None:
            return None
        found = find_owner(self.actor.user, self.target, name)
        if found is None:
            raise ValidationError(_("You may not act for %s.") % name)
        return found

    def params(self, operation: AnyOperation) -> CreateParams:
        return CreateParams(**{name: self.cleaned_data[name] for name in self.base_fields})


def data_of_entry(entry: Entry) -> dict[str, Any]:
    """What was asked for in a creation, as the form above takes it: to be changed and tried again."""
    kept = entry.params if isinstance(entry.params, dict) else {}
    return {name: kept[name] for name in CreateForm.base_fields if name in kept}


def find_owner(user: User, cluster: Cluster | None, name: str) -> Persona | None:
    """The persona of this name if `user` may create for it on the cluster: whoever administers that, for anybody
    they know of."""
    found = find_persona(user, name)
    if found is None and cluster is not None and can(user, "admin", cluster):
        found = find_known_persona(user, name, cluster)
    return found
