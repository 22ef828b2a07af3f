"""What a machine takes of an export. Ganeti leaves behind, without a word, disks for which there is no place."""

from collections.abc import Iterator

from objectlog.words import gettext as _
from objectlog.words import mib, ngettext
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import VMSpec


def judge_disks_of_export(spec: VMSpec, told: VMSpec | None) -> Iterator[Fault]:
    """Each disk of the export has one at least as large. `told`: what the export holds, if that is known."""
    if spec.source is None or told is None or not spec.disks:
        return
    if len(spec.disks) < len(told.disks):
        words = ngettext("The export holds %d disk.", "The export holds %d disks: keep them all.", len(told.disks))
        yield "disks", words % len(told.disks)
    for number, (mine, held) in enumerate(zip(spec.disks, told.disks, strict=False)):
        if mine.size_mib < held.size_mib:
            yield f"disks.{number}.size_mib", _("This disk of the export needs %s.") % mib(held.size_mib)
