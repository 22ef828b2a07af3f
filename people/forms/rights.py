"""What one is asked when rights and roles are given and taken."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from operations.contract import Site
from operations.forms import NamingField, OperationForm, asks_for
from people.naming import find_subject, parse_moment
from people.operations.rights import GRANTED_ON, ROLES_GRANTED_ON
from permissions.models import Persona, Role, Team, User
from permissions.policy import access_of, granted_verbs, held_until
from permissions.selectors import find_role
from permissions.services import persona_of
from ui.moments import by_the_clock, tell
from ui.names import NameInput


class SubjectField(NamingField):
    """A user name, or @ and the name of a team that one knows of."""

    widget = NameInput(teams=True)

    def clean(self, value: Any) -> Any:
        """Whoever is meant."""
        text = str(super().clean(value))
        return self.find(text) if text else None

    def find(self, text: str) -> User | Team:
        """The one who is called so. ValidationError."""
        try:
            return find_named(self, text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class OwnerField(SubjectField):
    """The same, for who owns something."""

    def clean(self, value: Any) -> Persona | None:
        """Their persona."""
        who = super().clean(value)
        return persona_of(who) if who is not None else None


def find_named(asking: NamingField | OperationForm, text: str) -> User | Team:
    """Whom a form or a field of it means by a name. ValueError."""
    asker = asking.actor.user if asking.actor is not None else None
    return find_subject(text, asker, asking.target if isinstance(asking.target, Model) else None)


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


class VerbsField(WordsField):
    """Rights: ticked one by one, each with what it allows, or typed. Which can be given is for the operation to say."""

    def offer(self, verbs: Mapping[str, Any]) -> None:
        """Draw these with boxes to tick."""
        choices = [(verb, format_html("{} <code>{}</code>", says, verb)) for verb, says in verbs.items()]
        self.widget = forms.CheckboxSelectMultiple(choices=choices)
        self.widget.is_required = self.required


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


def _fill_in_end(form: OperationForm, ends: Iterable[datetime]) -> None:
    """The first of these ends, else that of who grants: nobody grants for longer than they may."""
    own = held_until(form.actor.user, "admin", form.target) if form.actor is not None else None
    if own is not None:
        words = _("A day, or a span such as 12h, 30d, 2w: until %s at most, as long as you may grant here.")
        form.fields["until"].help_text = words % tell(own)
    end = min(ends, default=own)
    if end is not None:
        form.initial.setdefault("until", f"{by_the_clock(end):%Y-%m-%dT%H:%M:%S}")


@_for_each("revoke", GRANTED_ON)
class RevokeForm(OperationForm):
    """Which rights, from whom."""

    who = SubjectField(label=gettext_lazy("Who"), help_text=gettext_lazy("A user name, or @ and the name of a team."))
    verbs = VerbsField(label=gettext_lazy("Rights"))

    from_address = ("who",)

    def fit(self) -> None:
        """What can be given on this kind; what somebody holds already is ticked."""
        field = self.fields["verbs"]
        if not isinstance(field, VerbsField):
            raise TypeError("The rights are a field of another type.")
        field.offer(access_of(type(self.target)).verbs)
        held = self._held()
        self.initial.setdefault("verbs", list(held))
        ends = {end for end in held.values() if end is not None}
        if "until" in self.fields:
            _fill_in_end(self, ends)

    def _held(self) -> Mapping[str, datetime | None]:
        """What was granted already to whom the address names."""
        try:
            return granted_verbs(find_named(self, str(self.initial.get("who", ""))), self.target)
        except ValueError:
            return {}


@_for_each("grant", GRANTED_ON)
class GrantForm(RevokeForm):
    """Which rights, to whom, until when."""

    until = MomentField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("A day such as 2030-12-31, or a span such as 12h, 30d, 2w. Empty: for good."),
    )


@_for_each("set-rights", GRANTED_ON)
class SetRightsForm(GrantForm):
    """Which rights somebody holds, until when."""

    verbs = VerbsField(
        label=gettext_lazy("Rights"),
        required=False,
        help_text=gettext_lazy("None ticked: all are taken back. One end counts for all that are ticked."),
    )


@_for_each("revoke-role", ROLES_GRANTED_ON)
class RevokeRoleForm(OperationForm):
    """Which role, from whom, for what."""

    who = SubjectField(label=gettext_lazy("Who"), help_text=gettext_lazy("A user name, or @ and the name of a team."))
    role = RoleField(label=pgettext_lazy("rights", "Role"))

    tag = forms.CharField(
        label=gettext_lazy("Tag"),
        required=False,
        max_length=128,
        help_text=gettext_lazy("For machines with this tag alone."),
    )
    owner = OwnerField(
        label=gettext_lazy("Owner"), required=False, help_text=gettext_lazy("For machines of this owner alone.")
    )

    from_address = ("who", "role", "tag", "owner")

    def fit(self) -> None:
        """A role is chosen of those there are; tag and owner narrow what is granted on more than one machine."""
        names = Role.objects.values_list("name", flat=True)
        self.fields["role"].widget = forms.Select(choices=[("", ""), *((name, name) for name in names)])
        if not isinstance(self.target, Site) and access_of(type(self.target)).owner:
            for name in ("tag", "owner"):
                self.fields[name].widget = forms.HiddenInput()


@_for_each("grant-role", ROLES_GRANTED_ON)
class GrantRoleForm(RevokeRoleForm):
    """Which role, to whom, for what, until when."""

    until = GrantForm.base_fields["until"]

    def fit(self) -> None:
        super().fit()
        if not isinstance(self.target, Site):
            _fill_in_end(self, ())
