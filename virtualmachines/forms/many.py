"""What is changed of many machines at once: of each only what was chosen, all else stays as each has it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clusters.catalogue import BACKEND, OF_HYPERVISORS, Parameter, of_hypervisor
from clusters.models import Cluster
from operations.forms import OperationForm, asks_for_many
from permissions.policy import visible
from ui.fields import PLAIN
from virtualmachines.forms.pieces.parameters import reader_of
from virtualmachines.forms.pieces.select import QuickSelect
from virtualmachines.forms.pieces.typed import EMPTY, OFF, ON, SizeField

# So many further parameters can be chosen at a time.
_MORE = (1, 2, 3)
_OWN_FIELDS = ("maxmem", "minmem", "vcpus", "auto_balance")
_BOOT_ORDER = "hvparams.boot_order"
_KEEP = ("", gettext_lazy("As each has it"))


class _Chosen(forms.CharField):
    """One parameter of the catalogue, by its path."""

    widget = QuickSelect([("", gettext_lazy("None"))])


@asks_for_many("vm.modify")
class ManySettingsForm(OperationForm):
    """Empty fields leave every machine as it is. The rules judge each machine by itself when its turn comes."""

    maxmem = SizeField(label=gettext_lazy("Memory"), required=False, widget=forms.TextInput(attrs=PLAIN))
    minmem = SizeField(label=gettext_lazy("Minimum memory"), required=False, widget=forms.TextInput(attrs=PLAIN))
    vcpus = forms.IntegerField(label=gettext_lazy("vCPUs"), required=False, min_value=1, max_value=1024)
    auto_balance = forms.ChoiceField(
        label=gettext_lazy("Auto-balance"),
        required=False,
        choices=[_KEEP, (ON, pgettext_lazy("switch", "On")), (OFF, pgettext_lazy("switch", "Off"))],
    )
    boot_order = forms.CharField(label=gettext_lazy("Boot order"), required=False, widget=QuickSelect([_KEEP]))
    parameter_1 = _Chosen(label=gettext_lazy("Further parameter"), required=False)
    value_1 = forms.CharField(label=gettext_lazy("Value"), required=False, widget=forms.TextInput(attrs=PLAIN))
    parameter_2 = _Chosen(label=gettext_lazy("Further parameter"), required=False)
    value_2 = forms.CharField(label=gettext_lazy("Value"), required=False, widget=forms.TextInput(attrs=PLAIN))
    parameter_3 = _Chosen(label=gettext_lazy("Further parameter"), required=False)
    value_3 = forms.CharField(
        label=gettext_lazy("Value"),
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=gettext_lazy('Empty: as the cluster has it. "": none.'),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._offer(OF_HYPERVISORS, is_admin=True)

    def fit_many(self, targets: QuerySet[Any]) -> None:
        """The parameters of the hypervisors that there are; those of the host for who administers a cluster of them."""
        hypervisors = targets.order_by().values_list("hypervisor", flat=True).distinct()
        clusters = Cluster.objects.filter(pk__in=targets.order_by().values("cluster"))
        is_admin = self.actor is not None and visible(self.actor.user, "admin", clusters).exists()
        self._offer(sorted(hypervisors), is_admin=is_admin)

    def _offer(self, hypervisors: Iterable[str], *, is_admin: bool) -> None:
        found = {f"beparams.{name}": each for name, each in BACKEND.items() if name not in _OWN_FIELDS}
        for hypervisor in hypervisors:
            for name, each in of_hypervisor(hypervisor).items():
                found.setdefault(f"hvparams.{name}", each)
        self._parameters = {path: each for path, each in found.items() if is_admin or not each.is_for_admins}
        groups: dict[str, list[tuple[str, str]]] = {}
        for path, each in self._parameters.items():
            groups.setdefault(str(each.group.title), []).append((path, f"{each.label} ({each.name})"))
        for name in ("maxmem", "minmem", "vcpus"):
            self.fields[name].widget.attrs["placeholder"] = _KEEP[1]
        for number in _MORE:
            self.fields[f"parameter_{number}"].widget = QuickSelect([("", _("None")), *groups.items()])
        orders = self._parameters.get(_BOOT_ORDER)
        choices = [(choice.value, choice.value) for choice in orders.choices] if orders is not None else []
        self.fields["boot_order"].widget = QuickSelect([_KEEP, *choices])

    def clean(self) -> dict[str, Any]:
        """What is wanted, by path, as an edit says it."""
        given, wanted = self.cleaned_data, {}
        for name in ("maxmem", "minmem", "vcpus"):
            if given.get(name) is not None:
                wanted[f"beparams.{name}"] = given[name]
        if given.get("auto_balance"):
            wanted["beparams.auto_balance"] = given["auto_balance"] == ON
        if given.get("boot_order"):
            wanted[_BOOT_ORDER] = given["boot_order"]
        for number in _MORE:
            self._add_further(wanted, number)
        if not wanted and not self.errors:
            raise ValidationError(_("Choose what is to be changed."))
        self._wanted = wanted
        return given

    def _add_further(self, wanted: dict[str, Any], number: int) -> None:
        path, text = (str(self.cleaned_data.get(f"{each}_{number}") or "") for each in ("parameter", "value"))
        if not path:
            if text:
                self.add_error(f"parameter_{number}", _("Choose the parameter that is to have this value."))
            return
        parameter = self._parameters.get(path)
        if parameter is None:
            self.add_error(f"parameter_{number}", _("There is no such parameter."))
        elif path in wanted:
            self.add_error(f"parameter_{number}", _("It is chosen twice."))
        else:
            try:
                wanted[path] = _read(parameter, text)
            except ValidationError as error:
                self.add_error(f"value_{number}", error)

    def kept(self) -> dict[str, Any]:
        """As the form for one machine takes it."""
        edit: dict[str, dict[str, Any]] = {}
        for path, value in self._wanted.items():
            table, _dot, name = path.partition(".")
            edit.setdefault(table, {})[name] = value
        return {"wanted": edit}


def _read(parameter: Parameter, text: str) -> Any:
    """A value of its kind; None makes the machine follow its cluster."""
    if not text:
        return None
    return "" if text == EMPTY else reader_of(parameter)(text)
