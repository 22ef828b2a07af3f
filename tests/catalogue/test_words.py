"""What every parameter of the catalogue has, and what it takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.catalogue import BACKEND, DISK, NIC, OF_HYPERVISORS, OF_TEMPLATES, Kind, Level, Parameter, of_hypervisor
from clusters.catalogue.parameter import Choice, by_name, choices
from tests.catalogue.compare import differences

NOW = (3, 0)
TABLES = {**OF_HYPERVISORS, **OF_TEMPLATES, "backend": BACKEND, "nic": NIC, "disk": DISK}
ALL = [pytest.param(each, id=f"{table}-{name}") for table in TABLES for name, each in TABLES[table].items()]


@pytest.mark.parametrize("parameter", ALL)
def test_it_is_complete(parameter: Parameter) -> None:
    label, explanation = str(parameter.label), str(parameter.help)
    assert label and label != parameter.name
    assert explanation.endswith((".", ":"))
    assert bool(parameter.choices) or parameter.kind is not Kind.CHOICE
    assert not parameter.choices or parameter.kind in (Kind.CHOICE, Kind.INTEGER)
    assert parameter.kind is not Kind.SIZE or parameter.unit == "MiB"
    assert parameter.kind is not Kind.INTEGER or parameter.least is not None


def test_what_is_a_file_or_an_address_of_the_node_is_for_admins() -> None:
    every = [parameter for table in TABLES.values() for parameter in table.values()]
    of_node = [parameter for parameter in every if parameter.kind in (Kind.PATH, Kind.PATH_OR_URL, Kind.ADDRESS)]
    assert of_node
    assert [each for each in of_node if each.level is not Level.HOST or not each.is_for_admins] == []


@pytest.mark.parametrize("name", ["kvm_extra", "security_model", "usb_devices", "kvm_path", "vnc_password_file"])
def test_the_host_is_out_of_reach(name: str) -> None:
    assert of_hypervisor("kvm")[name].level is Level.HOST


def test_a_name_stands_once_in_its_table() -> None:
    with pytest.raises(ValueError):
        by_name(BACKEND["vcpus"], BACKEND["vcpus"])


def test_releases() -> None:
    assert of_hypervisor("kvm")["disk_aio"].options_in((3, 0)) == ("threads", "native")
    assert of_hypervisor("kvm")["disk_aio"].options_in((3, 1)) == ("threads", "native", "io_uring")
    assert "default" not in of_hypervisor("kvm")["disk_discard"].options_in((3, 1))
    assert not of_hypervisor("xen-pvm")["xen_cmd"].exists_in((3, 1))
    assert of_hypervisor("xen-pvm")["xen_cmd"].exists_in((2, 16))
    assert not OF_TEMPLATES["rbd"]["user-id"].exists_in((3, 1))
    assert NIC["mode"].options_in((3, 2)) == ("bridged", "routed", "openvswitch", "pool", "ext")
    assert of_hypervisor("something new") == {}
    queues = of_hypervisor("kvm")["virtio_net_queues"]
    assert [queues.judge("auto", (4, 0)), queues.judge("auto", (3, 1))] == [None, "Enter a whole number."]
    assert [queues.judge(32, (4, 0)), queues.judge(9, (3, 1))] == [None, "At most 8."]
    assert queues.judge(33, (4, 0)) == "At most 32."


@pytest.mark.parametrize(
    ("table", "name", "good", "bad"),
    [
        ("kvm", "acpi", [True, False], ["true", 1, "", None]),
        ("kvm", "boot_order", ["disk", "network"], ["", "usb", "default", 3]),
        ("kvm", "kernel_path", ["", "/boot/vmlinuz"], ["vmlinuz", "/boot/../etc/shadow", "/boot//x", "/", "/x/"]),
        ("kvm", "cdrom_image_path", ["", "/srv/a.iso", "https://images.example.org/a.iso"], ["a.iso", "https://", 1]),
        ("kvm", "cpu_mask", ["all", "0", "0-2,5", "0:all:1-3"], ["", "0-", "a", ":", "1;2"]),
        ("kvm", "cpu_cores", [0, 4], [-1, "4", 1.5, True]),
        ("kvm", "virtio_net_queues", [1, 8], [9, -1]),
        ("kvm", "keymap", ["", "de", "en-us"], ["/etc/passwd", "de,x"]),
        ("kvm", "kernel_args", ["", "ro single"], [5]),
        ("xen-hvm", "boot_order", ["cd", "n"], ["", "disk"]),
        ("xen-hvm", "cpu_weight", [1, 65534], [0, 65535]),
        ("drbd", "disk-barriers", ["n", "b", "bf", "bfd", "d"], ["x", "bb"]),
        ("backend", "maxmem", [1, 4096], [0, -5, None, "4096"]),
        ("nic", "mac", ["auto", "52:54:00:12:34:56"], ["", "52-54-00-12-34-56", "52:54"]),
        ("nic", "vlan", ["", "10", ".10", ".10:20", ":10:20"], ["ten", ".", "10:"]),
        ("disk", "size", [1, 1048576], [0, "10g"]),
    ],
)
def test_values(table: str, name: str, good: list[Any], bad: list[Any]) -> None:
    parameter = TABLES[table][name]
    assert {repr(value): parameter.judge(value, NOW) for value in good if parameter.judge(value, NOW)} == {}
    assert [value for value in bad if not parameter.judge(value, NOW)] == []


@pytest.mark.long
@given(value=st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.lists(st.text()))
def test_any_value_is_judged(value: Any) -> None:
    for table in TABLES.values():
        for parameter in table.values():
            assert isinstance(parameter.judge(value, NOW), str | None)


class TestComparing:
    """The comparison itself finds what it is there to find."""

    TABLE = by_name(
        Parameter("speed", "Speed", "How fast.", Kind.INTEGER, least=1),
        Parameter("model", "Model", "Which.", Kind.CHOICE, choices=choices("a", Choice("b", since=(3, 1)))),
        Parameter("old", "Old", "Gone.", Kind.SWITCH, until=(2, 16)),
    )

    @pytest.mark.parametrize(
        ("reported", "found"),
        [
            ({"speed": 5, "model": "a"}, []),
            ({"speed": 5, "model": "a", "new": 1}, ["x: new is reported, and not in the catalogue"]),
            ({"speed": 5, "model": "a", "old": True}, ["x: old is reported, and not in the catalogue"]),
            ({"speed": 5}, ["x: model is in the catalogue, and not reported"]),
            ({"speed": "5", "model": "a"}, ["x: speed is a integer here, and '5' there"]),
            ({"speed": 5, "model": "b"}, ["x: model has the value 'b', which the catalogue refuses: Choose one of a."]),
        ],
    )
    def test_it_names_the_parameter(self, reported: dict[str, Any], found: list[str]) -> None:
        assert differences("x", self.TABLE, reported, NOW) == found
