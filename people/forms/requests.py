"""What one is asked when one asks for more, and when one decides on it."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster
from operations.forms import OpenedField, OperationForm, asks_for
from operations.persona_bound import version_of_actor
from people.asked import find_machine_asked
from people.forms.quotas import MOST, DefaultQuotaForm
from people.request_selectors import list_clusters_to_ask_for
from permissions.services import persona_of
from quotas.amounts import UNLIMITED, Limits
from quotas.models import Request
from quotas.selectors import limits_of
from virtualmachines.asked import find_with
from virtualmachines.forms.pieces import PlainText, read_size

_LONGEST = 1000
# The form of a new machine is filled in with what was asked for.
find_with(find_machine_asked)


class _ClusterField(forms.CharField):
    """One of the clusters that somebody knows of, by its short name."""

    def offer(self, clusters: Any, *, empty: str) -> None:
        """These alone are known."""
        self.known = {each.slug: each for each in clusters}
        choices = [("", empty), *((slug, slug) for slug in self.known)]
        self.widget = forms.Select(choices=choices)
        self.widget.is_required = self.required

    def clean(self, value: Any) -> Cluster | None:
        """The cluster."""
        slug = str(super().clean(value))
        if not slug:
            return None
        found: Cluster | None = getattr(self, "known", {}).get(slug)
        if found is None:
            raise forms.ValidationError(_("You know of no cluster %s.") % slug[:100])
        return found


class _WordsField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_LONGEST, widget=forms.Textarea(attrs={"rows": 4}), **options)


class _NameField(forms.CharField):
    widget = PlainText


class _SizeField(_NameField):
    """MiB of something that has some."""

    def clean(self, value: Any) -> int:
        """MiB."""
        return read_size(str(super().clean(value)))


class _AskForm(OperationForm):
    """Where, and why; for whom one acts."""

    opened = OpenedField()

    from_address = ("cluster",)

    def offer_clusters(self, empty: str) -> None:
        """Those that who asks knows of."""
        field = self.fields["cluster"]
        if self.actor is None or not isinstance(field, _ClusterField):
            raise TypeError("It is asked by somebody, for a cluster.")
        self.fields["opened"].initial = version_of_actor(self.actor)
        persona = self.actor.persona or persona_of(self.actor.user)
        field.offer(list_clusters_to_ask_for(self.actor.user, persona), empty=empty)


@asks_for("request.ask-quota")
class AskQuotaForm(DefaultQuotaForm, _AskForm):
    """The limits as they should be; at first as they are on the cluster that the address names."""

    cluster = _ClusterField(label=gettext_lazy("Cluster"))
    reason = _WordsField(label=gettext_lazy("What for"))

    field_order = ("cluster",)

    def fit(self) -> None:
        self.offer_clusters(_("Choose one"))
        super().fit()

    def _now(self) -> Limits:
        field = self.fields["cluster"]
        known = getattr(field, "known", {})
        if len(known) == 1:
            self.initial.setdefault("cluster", next(iter(known)))
        cluster = known.get(str(self.initial.get("cluster", "")))
        if cluster is None or self.actor is None:
            return UNLIMITED
        return limits_of(self.actor.persona or persona_of(self.actor.user), cluster)


@asks_for("request.ask-machine")
class AskMachineForm(_AskForm):
    """The machine, and why."""

    cluster = _ClusterField(label=gettext_lazy("Cluster"), required=False)
    name = _NameField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=253,
        help_text=gettext_lazy("If it is to have a certain one."),
    )
    memory_mib = _SizeField(label=gettext_lazy("Memory"), help_text=gettext_lazy("Such as 4 GiB."))
    disk_mib = _SizeField(label=gettext_lazy("Disk"), help_text=gettext_lazy("Such as 40 GiB."))
    vcpus = forms.IntegerField(label=gettext_lazy("vCPUs"), min_value=1, max_value=MOST)
    reason = _WordsField(
        label=gettext_lazy("What for"), help_text=gettext_lazy("What is to run on it, which OS, until when.")
    )

    def fit(self) -> None:
        self.offer_clusters(_("Any"))


@asks_for("request.approve")
class ApproveForm(DefaultQuotaForm):
    """What is granted: as asked for at first. For a machine, which one it is."""

    machine = _NameField(
        label=gettext_lazy("Machine"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("CLUSTER/MACHINE, if it is there already."),
    )
    answer = _WordsField(label=gettext_lazy("Answer"), required=False)

    def fit(self) -> None:
        """The fields of what is asked for."""
        asked = self.target
        if asked.kind == Request.Kind.MACHINE:
            for name in DefaultQuotaForm.base_fields:
                del self.fields[name]
        else:
            del self.fields["machine"]
            super().fit()

    def _now(self) -> Limits:
        limits: Limits = self.target.limits
        return limits

    def params(self, operation: Any) -> Any:
        """Of the fields that there are."""
        return operation.params_type(**{name: self.cleaned_data[name] for name in self.fields})


@asks_for("request.decline")
class DeclineForm(OperationForm):
    """Why not."""

    answer = _WordsField(label=gettext_lazy("Why not"))
