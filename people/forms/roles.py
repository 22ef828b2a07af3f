"""What one is asked about roles."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from operations.forms import OpenedField, OperationForm, asks_for
from people.forms.rights import VerbsField
from people.operations.roles import verbs_to_hold, version_of_role
from permissions.models import Role
from permissions.selectors import list_verbs


@asks_for("role.create")
class NewRoleForm(OperationForm):
    """What a role is called, what it is for, and what it holds."""

    name = forms.CharField(label=gettext_lazy("Name"))
    description = forms.CharField(label=gettext_lazy("Description"), required=False)
    verbs = VerbsField(label=gettext_lazy("Rights"))

    def fit(self) -> None:
        """All that can be held is offered."""
        field = self.fields["verbs"]
        if not isinstance(field, VerbsField):
            raise TypeError("The rights are a field of another type.")
        field.offer(verbs_to_hold())


@asks_for("role.edit")
class RoleForm(NewRoleForm):
    """The same of one that is there, filled in with what it is."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    opened = OpenedField()

    def fit(self) -> None:
        """What it holds is ticked."""
        super().fit()
        role = self.target
        if not isinstance(role, Role):
            return
        known: dict[str, object] = {"name": role.name, "description": role.description, "verbs": list_verbs(role)}
        for name, value in known.items():
            self.initial.setdefault(name, value)
        if role.is_built_in:
            self.fields["name"].widget = forms.HiddenInput()
        self.fields["opened"].initial = version_of_role(role)

    def clean(self) -> dict[str, Any]:
        """Nothing for what was left out; no verb is something that was said."""
        given = super().clean() or {}
        return {
            name: value if name in self.data or name in ("verbs", "opened") else None for name, value in given.items()
        }
