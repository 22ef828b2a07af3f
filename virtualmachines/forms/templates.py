"""Forms of templates: as data for the command line and the API, and the page's own, made of the same pieces as that
of a new machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from operations.contract import AnyOperation
from operations.forms import OpenedField, OperationForm, asks_for
from operations.persona_bound import version_of_actor
from virtualmachines.forms.creating import MachineForm, Section
from virtualmachines.forms.pieces import Piece, PlainText
from virtualmachines.forms.pieces.piece import Given
from virtualmachines.forms.pieces.size import NamePiece
from virtualmachines.forms.pieces.typed import ON
from virtualmachines.forms.specs import find_owner
from virtualmachines.models import MachineTemplate
from virtualmachines.operations.templates import CopyParams, TemplateParams, spec_of_template
from virtualmachines.selectors import list_clusters_to_create_on
from virtualmachines.spec import BadData, VMSpec, spec_as_data, spec_from_data
from virtualmachines.spec.copying import numbered, without_numbers

_NAME = gettext_lazy("Letters, digits, spaces and . _ + -")
_ANY = "-"


class _TemplateOnCluster(OperationForm):
    """What has a name, and a cluster for which it is."""

    def clean_name(self) -> str:
        """Without spaces around it."""
        return str(self.cleaned_data["name"]).strip()

    def clean_cluster(self) -> Cluster | None:
        """By short name; one that may not be used is told from one that is not there by nothing."""
        slug = self.cleaned_data["cluster"].strip()
        if slug in ("", _ANY):
            return None
        there = list_clusters_to_create_on(self.actor.user) if self.actor is not None else Cluster.objects.none()
        found = there.filter(slug=slug).first()
        if found is None:
            raise ValidationError(_("There is no cluster %s on which you may create machines.") % slug)
        return found


@asks_for("template.create")
class TemplateDataForm(_TemplateOnCluster):
    """A template as data: the spec as JSON, see `virtualmachines.spec`."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=_NAME)
    cluster = forms.CharField(
        label=gettext_lazy("Cluster"),
        required=False,
        help_text=gettext_lazy("Its short name. Empty: for any cluster."),
    )
    spec = forms.JSONField(
        label=gettext_lazy("Machines"),
        help_text=gettext_lazy('As JSON, such as {"os": "debian", "disks": [{"size_mib": 10240}]}.'),
        error_messages={"invalid": gettext_lazy("This is no JSON.")},
    )
    owner = forms.CharField(
        label=gettext_lazy("Owner"),
        required=False,
        help_text=gettext_lazy("You, or a team as @team. Empty: as whom you act."),
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=255)
    notes = forms.CharField(label=gettext_lazy("Notes"), required=False, max_length=10_000, widget=forms.Textarea)
    is_protected = forms.BooleanField(label=gettext_lazy("Protected"), required=False)

    def clean_spec(self) -> VMSpec:
        """A spec, of which the name of the machine is left open."""
        data = self.cleaned_data["spec"]
        try:
            return spec_from_data({"nics": [{}], "name": "", **data} if isinstance(data, dict) else data)
        except BadData as bad:
            raise ValidationError(str(bad)) from bad

    def clean(self) -> dict[str, Any] | None:
        """The owner, as a persona: who may not be one is told from who is not there by nothing."""
        name = str(self.cleaned_data.get("owner") or "").strip()
        self.cleaned_data["owner"] = None
        if name and self.actor is not None:
            found = find_owner(self.actor.user, self.cleaned_data.get("cluster"), name)
            if found is None:
                self.add_error("owner", _("You may not act for %s.") % name)
            self.cleaned_data["owner"] = found
        return None

    def params(self, operation: AnyOperation) -> TemplateParams:
        return TemplateParams(**{name: self.cleaned_data[name] for name in self.base_fields})


@asks_for("template.edit")
class EditTemplateDataForm(TemplateDataForm):
    """The same of one that is there: what is not given stays as it is."""

    def fit(self) -> None:
        """Fill in what the template says for what is not given."""
        if not isinstance(self.target, MachineTemplate):
            return
        template = self.target
        now = {
            "name": template.name,
            "cluster": template.cluster.slug if template.cluster is not None else "",
            "spec": spec_as_data(spec_of_template(template)),
            "description": template.description,
            "notes": template.notes,
            "is_protected": template.is_protected,
        }
        self.initial = {**now, **self.initial}
        if self.is_bound:
            given = {name: self.data[name] for name in self.data}
            self.data = {**now, **given}

    def params(self, operation: AnyOperation) -> TemplateParams:
        params = super().params(operation)
        return params if params.owner is not None else replace(params, owner=self.target.owner)


@asks_for("template.copy")
class CopyTemplateForm(_TemplateOnCluster):
    """What the copy is called, and where it can be used."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=_NAME)
    cluster = forms.CharField(
        label=gettext_lazy("Cluster"), required=False, help_text=gettext_lazy("Empty: for any cluster.")
    )
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=255)
    opened = OpenedField()

    def fit(self) -> None:
        """As the one that is copied."""
        if self.actor is not None:
            self.fields["opened"].initial = version_of_actor(self.actor)
        if isinstance(self.target, MachineTemplate):
            cluster = self.target.cluster
            now = {"cluster": cluster.slug if cluster is not None else "", "description": self.target.description}
            self.initial = {**now, **self.initial}

    def params(self, operation: AnyOperation) -> CopyParams:
        return CopyParams(**{name: self.cleaned_data[name] for name in self.base_fields})


class TemplateForm(MachineForm):
    """The page of a template: that of a new machine, with a name of the template's in place of the machine's.

    The cluster is the one whose choices are shown; with `is_for_any` the template can be used on each.
    """

    def __init__(self, given: Given, **options: Any) -> None:
        super().__init__(given, **options)
        for path in ("osparams_private", "osparams_secret", "save_as"):
            self.fields.pop(path, None)
        self.fields["name"] = forms.CharField(label=_("Name"), max_length=100, help_text=_NAME, widget=PlainText())
        self.fields["description"] = forms.CharField(label=_("Description"), required=False, max_length=255)
        self.fields["is_for_any"] = forms.BooleanField(
            label=_("For any cluster"),
            required=False,
            help_text=_("What a cluster has not is said when a machine is created there."),
        )
        self.fields["opened"] = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
        self.fields["like"] = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)
        for path, css in (
            ("name", "f8"),
            ("description", "f8"),
            ("is_for_any", "f12"),
            ("opened", "f12"),
            ("like", "f12"),
        ):
            drawn: Any = self.fields[path]
            drawn.css = css

    def _pieces(self) -> list[Piece]:
        return [each for each in super()._pieces() if not isinstance(each, NamePiece)]

    def template_params(self, before: VMSpec) -> TemplateParams:
        """What is asked for. What of `before` has no field here stays as it was, but for another hypervisor's."""
        if before.hypervisor and before.hypervisor != self.made_of.hypervisor:
            before = replace(before, hvparams={})
        spec, values = without_numbers(self.spec(numbered(before))), self.cleaned_data
        if spec.hvparams and not spec.hypervisor:
            # What they mean does not depend on what a cluster's default is then.
            spec = replace(spec, hypervisor=self.made_of.hypervisor)
        return TemplateParams(
            str(values.get("name") or "").strip(),
            None if values.get("is_for_any") else self.cluster,
            spec,
            self.owner,
            str(values.get("description") or "").strip(),
            str(values.get("notes") or ""),
            bool(values.get("is_protected")),
            str(values.get("opened") or ""),
            model=self.own,
        )

    def sections(self, opened: str = "") -> list[Section]:
        """Those of a new machine, but for the first: what is the template's, and what is its machines'."""
        machine, size, *others = super().sections(opened)
        of_template = self._some("name", "cluster", "description", "owner", "is_for_any", "opened", "like")
        name = str(self["name"].value() or "")
        return [
            replace(machine, title=_("Template"), says=name, fields=of_template),
            replace(size, title=_("Machines"), fields=[*self._some("os"), *size.fields]),
            *others,
        ]


def fields_of_template(template: MachineTemplate) -> dict[str, str]:
    """What would have to be typed for what a template says of itself."""
    persona = template.owner
    name = "" if persona is None else f"@{persona.name}" if persona.group_id is not None else persona.name
    typed = {"name": template.name, "description": template.description, "owner": name, "notes": template.notes}
    switches = {"is_protected": template.is_protected, "is_for_any": template.cluster is None}
    return {**typed, **{path: ON for path, is_on in switches.items() if is_on}}
