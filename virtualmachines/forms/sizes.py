"""The sizes that a cluster's admins name, one a line."""

from django import forms
from django.utils.translation import gettext_lazy as _

from operations.forms import OperationForm, asks_for
from virtualmachines.forms.pieces.typed import read_size, size_text
from virtualmachines.operations.sizing import MachineSize, read_sizes

_MOST_DIGITS = 6


@asks_for("cluster.sizes")
class SizesForm(OperationForm):
    """As text: that can be copied from one cluster to another."""

    sizes = forms.CharField(
        label=_("Sizes"),
        required=False,
        strip=True,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
        help_text=_("One a line, with CPUs, memory and disk: small = 1, 2 GiB, 20 GiB."),
    )

    def fit(self) -> None:
        """Begin with those that are there."""
        self.fields["sizes"].initial = "\n".join(map(line_of, read_sizes(self.target)))

    def clean_sizes(self) -> tuple[MachineSize, ...]:
        """A name and three figures of each line."""
        return tuple(_read(line) for line in str(self.cleaned_data["sizes"]).splitlines() if line.strip())


def line_of(size: MachineSize) -> str:
    """As it is typed."""
    return f"{size.name} = {size.vcpus}, {size_text(size.memory_mib)}, {size_text(size.disk_mib)}"


def _read(line: str) -> MachineSize:
    name, _sign, rest = line.partition("=")
    vcpus, *sizes = [each.strip() for each in rest.split(",")]
    is_number = vcpus.isascii() and vcpus.isdigit() and len(vcpus) <= _MOST_DIGITS
    try:
        memory, disk = map(read_size, sizes if is_number else [])
    except (ValueError, forms.ValidationError) as error:  # there are not two, or they are no sizes
        words = _("“%(line)s” is not like small = 1, 2 GiB, 20 GiB.")
        raise forms.ValidationError(words, params={"line": line.strip()[:60]}) from error
    return MachineSize(name.strip(), int(vcpus), memory, disk)
