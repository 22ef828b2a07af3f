"""What one is asked when rights and roles are given and taken."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from people.naming import find_subject, parse_moment
from people.operations.rights import GRANTED_ON, ROLES_GRANTED_ON
from permissions.models import Persona, Role, Team, User
from permissions.selectors import find_role
from permissions.services import persona_of


class SubjectField(forms.CharField):
    """A user name, or @ and the name of a team."""

    def clean(self, value: Any) -> User | Team | None:
        """Whoever is meant."""
        text = str(super().clean(value))
        try:
            return find_subject(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class OwnerField(forms.CharField):
    """The same, for who owns something."""

    def clean(self, value: Any) -> Persona | None:
        """Their persona."""
        who = SubjectField(required=self.required).clean(value)
        return persona_of(who) if who is not None else None


class RoleField(forms.CharField):
    """The name of a role."""

    def clean(self, value: Any) -> Role:
        """The role."""
        text = str(super().clean(value))
        role = find_role(text)
        if role is None:
            raise forms.ValidationError(_("There is no role “%s”.") % text)
        return role


class WordsField(forms.CharField):
    """Words with commas or spaces between them."""

    def clean(self, value: Any) -> list[str]:
        """The words, each once."""
        text = " ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else value
        return list(dict.fromkeys(re.findall(r"[^\s,]+", super().clean(text))))


class MomentField(forms.CharField):
    """A date, a time, or a span from now on."""

    def clean(self, value: Any) -> datetime | None:
        """The moment."""
        text = str(super().clean(value))
        try:
            return parse_moment(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


def _for_each(verb: str, kinds: Iterable[str]) -> Any:
    """Put the form into the table for this verb of all these kinds."""

    def put(form: type[OperationForm]) -> type[OperationForm]:
        for kind in kinds:
            asks_for(f"{kind}.{verb}")(form)
        return form

    return put


@_for_each("revoke", GRANTED_ON)
class RevokeForm(OperationForm):
    """Which rights, from whom."""

    who = SubjectField(label=gettext_lazy("Who"), help_text=gettext_lazy("A user name, or @ and the name of a team."))
    verbs = WordsField(label=gettext_lazy("Rights"))


@_for_each("grant", GRANTED_ON)
class GrantForm(RevokeForm):
    """Which rights, to whom, until when."""

    until = MomentField(label=gettext_lazy("Until"), required=False)


@_for_each("revoke-role", ROLES_GRANTED_ON)
class RevokeRoleForm(OperationForm):
    """Which role, from whom, for what."""

    who = SubjectField(label=gettext_lazy("Who"), help_text=gettext_lazy("A user name, or @ and the name of a team."))
    role = RoleField(label=gettext_lazy("Role"))
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=128)
    owner = OwnerField(label=gettext_lazy("Owner"), required=False)


@_for_each("grant-role", ROLES_GRANTED_ON)
class GrantRoleForm(RevokeRoleForm):
    """Which role, to whom, for what, until when."""

    until = MomentField(label=gettext_lazy("Until"), required=False)


@asks_for("role.set")
class RoleForm(OperationForm):
    """What a role is called, and what it holds."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=Role._meta.get_field("name").max_length)
    verbs = WordsField(label=gettext_lazy("Rights"), help_text=gettext_lazy("Each with its kind, such as vm.power."))
    description = forms.CharField(label=gettext_lazy("Description"), required=False)
