"""Before and after of what is changed of a machine: labels and our own words are the reader's, values stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from objectlog.changes import as_rows
from tests.words.pseudo import accent, spoken
from virtualmachines.spec import Defaults, DiskSpec, NicSpec, VMSpec, difference
from virtualmachines.spec.telling import disk_called, tell_changes

DISK, NIC = DiskSpec(1024, name="zz", uuid="d1"), NicSpec(link="zz0", uuid="n1")
VM = VMSpec("zz", hypervisor="kvm", os="zz", disks=(DISK,), nics=(NIC,))


@pytest.mark.parametrize(
    ("after", "label"),
    [
        (replace(VM, disks=(replace(DISK, name="yy"),)), ["Disk %(number)s", "Name"]),
        (replace(VM, nics=(replace(NIC, link="yy0"),)), ["Network card %(number)s", "Link"]),
        (replace(VM, disks=()), ["Disk %(number)s"]),
        (replace(VM, nics=()), ["Network card %(number)s"]),
        (replace(VM, disks=(DISK, DiskSpec(16))), ["New disk"]),
        (replace(VM, nics=(NIC, NicSpec())), ["New network card"]),
        (replace(VM, hvparams={"acpi": False}), ["ACPI"]),
    ],
)
def test_labels_can_be_translated(after: VMSpec, label: list[str]) -> None:
    [change] = tell_changes(difference(VM, after, Defaults()).changes, "kvm")
    kept = change.as_data()
    with spoken():
        [(shown, _before, _after)] = as_rows([kept])
    for words in label:
        assert accent(words) % {"number": 0} in shown


def test_a_disk_is_called_in_the_readers_language() -> None:
    with spoken():
        [(shown, _before, _after)] = as_rows(
            [{"field": "x", "label": disk_called(3).as_data(), "before": 1, "after": 2}]
        )
    assert accent("Disk") in shown and "3" in shown
