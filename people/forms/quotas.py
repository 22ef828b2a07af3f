"""What one is asked about quotas."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from operations.forms import OperationForm, asks_for
from people.forms.rights import OwnerField, find_named
from permissions.models import Persona
from permissions.services import persona_of
from quotas.amounts import DIMENSIONS, Limits
from quotas.selectors import default_of, limits_of
from virtualmachines.forms.pieces import read_size, size_text

MOST = 2**31 - 1


class LimitField(forms.CharField):
    """A size; nothing typed: no limit, 0: nothing at all."""

    def __init__(self, **options: Any) -> None:
        off = {"autocomplete": "off", "spellcheck": "false"}
        super().__init__(required=False, widget=forms.TextInput(attrs=off), **options)

    def clean(self, value: Any) -> int | None:
        """MiB."""
        text = str(super().clean(value)).strip()
        if not text:
            return None
        return 0 if text.strip("0") == "" else read_size(text)


class _NumberField(forms.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, min_value=0, max_value=MOST, **options)


@asks_for("cluster.set-default-quota")
class DefaultQuotaForm(OperationForm):
    """The four limits."""

    memory_mib = LimitField(
        label=gettext_lazy("Memory"), help_text=gettext_lazy("Such as 64 GiB. Empty: no limit; 0: none.")
    )
    disk_mib = LimitField(label=gettext_lazy("Disk"), help_text=gettext_lazy("Such as 2 TiB."))
    vcpus = _NumberField(label=gettext_lazy("vCPUs"))
    machines = _NumberField(label=gettext_lazy("Machines"))

    def fit(self) -> None:
        """As it is now."""
        limits = self._now()
        for name, limit in zip(DIMENSIONS, limits.values(), strict=True):
            if limit is not None:
                is_size = name.endswith("_mib") and limit > 0
                self.initial.setdefault(name, size_text(limit) if is_size else str(limit))

    def _now(self) -> Limits:
        return default_of(self.target)


@asks_for("cluster.set-quota")
class QuotaForm(DefaultQuotaForm):
    """Whose, and the four limits."""

    who = OwnerField(label=gettext_lazy("Who"), help_text=gettext_lazy("A user name, or @ and the name of a team."))

    from_address = ("who",)
    field_order = ("who",)

    def _now(self) -> Limits:
        """What counts now for whom the address names."""
        persona = self._named()
        return limits_of(persona, self.target) if persona is not None else default_of(self.target)

    def _named(self) -> Persona | None:
        try:
            return persona_of(find_named(self, str(self.initial.get("who", ""))))
        except ValueError:
            return None


@asks_for("cluster.remove-quota")
class RemoveQuotaForm(OperationForm):
    """Whose."""

    who = OwnerField(label=gettext_lazy("Who"))

    from_address = ("who",)
