"""Forms of machines: every parameter of the catalogue can be typed, and what is typed for a spec gives it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from clusters.catalogue import BACKEND, OF_HYPERVISORS, OF_TEMPLATES, Kind, of_hypervisor
from clusters.catalogue.parameter import Parameter
from tests.fixtures.databases import some_in_fast
from tests.spec.machines import machines
from virtualmachines.forms.pieces import (
    EMPTY,
    DisksPiece,
    HypervisorPiece,
    NicsPiece,
    OptionsPiece,
    ParameterPiece,
    Piece,
    PlacementPiece,
    SpecForm,
    SystemPiece,
    TagsPiece,
    TemplatePiece,
    read_size,
    size_text,
    typed_of,
    with_part,
    without_part,
)
from virtualmachines.rules.facts import NetworkFacts
from virtualmachines.spec import DiskSpec, NicSpec, VMSpec
from virtualmachines.spec.machine import DISKLESS

RELEASE = (3, 0)
BLANK = VMSpec("new.example.org")
EVERY = [(name, each) for name, table in {**OF_HYPERVISORS, "": BACKEND}.items() for each in table.values()]


def a_value(parameter: Parameter) -> Any:
    """One that it takes."""
    if parameter.kind is Kind.SWITCH:
        return True
    if parameter.kind is Kind.CHOICE:
        return (parameter.options_in(RELEASE) or ("",))[0]
    if parameter.kind in (Kind.INTEGER, Kind.SIZE):
        return parameter.least or 1
    texts = ("/srv/some/file", "0-2,5", "cd", "de", "192.0.2.1", "1", "ab", "a:b", "disk")
    return next(text for text in texts if parameter.judge(text, RELEASE) is None)


def piece_of(parameter: Parameter, *, default: Any = None, is_admin: bool = True) -> ParameterPiece:
    """A cluster that reports this parameter alone."""
    return ParameterPiece("hvparams", {parameter.name: parameter}, {parameter.name: default}, RELEASE, is_admin)


def read(pieces: list[Piece], typed: dict[str, str], base: VMSpec = BLANK) -> VMSpec:
    form = SpecForm(pieces, typed)
    assert form.errors == {}
    return form.spec(base)


def again(pieces: list[Piece], spec: VMSpec, base: VMSpec = BLANK) -> VMSpec:
    """What a form reads that was filled in for this spec."""
    return read(pieces, typed_of(pieces, spec), base)


@pytest.mark.feature("F172", "F176", "F182")
@pytest.mark.parametrize(("of", "parameter"), some_in_fast(EVERY, 4), ids=lambda each: getattr(each, "name", each))
def test_every_parameter_has_a_field_that_explains_it_and_gives_back_what_is_typed(
    of: str, parameter: Parameter
) -> None:
    path = f"hvparams.{parameter.name}"
    piece = piece_of(parameter)
    if not parameter.exists_in(RELEASE):
        assert piece.fields({}) == {}
        return
    field = piece.fields({})[path]
    assert field.label == parameter.label
    assert str(parameter.help) in str(field.help_text)
    for value in (a_value(parameter), *(("",) if parameter.is_optional else ())):
        with_default = piece_of(parameter, default=a_value(parameter))
        spec = replace(BLANK, hvparams={parameter.name: value})
        assert again([with_default], spec) == spec
        page = str(SpecForm([with_default], typed_of([with_default], spec))[path])
        assert f'name="{path}"' in page
    assert again([piece], BLANK) == BLANK


@pytest.mark.parametrize(("of", "parameter"), some_in_fast(EVERY, 4), ids=lambda each: getattr(each, "name", each))
def test_the_default_of_the_cluster_is_shown_and_not_taken(of: str, parameter: Parameter) -> None:
    value = a_value(parameter)
    piece = piece_of(parameter, default=value)
    for path, _field in piece.fields({}).items():
        page = str(SpecForm([piece], {})[path])
        shown = {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
        assert shown in page
    assert read([piece], {}) == BLANK


def test_what_is_for_administrators_has_no_field_for_others_and_stays_as_it_was() -> None:
    table = of_hypervisor("kvm")
    mine = ParameterPiece("hvparams", table, dict.fromkeys(table), RELEASE, is_admin=False)
    shown = {path.removeprefix("hvparams.") for path in mine.fields({})}
    assert shown == {name for name, each in table.items() if not each.is_for_admins and each.exists_in(RELEASE)}
    before = replace(BLANK, hvparams={"kvm_extra": "-s", "acpi": True})
    assert read([mine], {"hvparams.kvm_extra": "-S", "hvparams.acpi": "off"}, before).hvparams == {
        "kvm_extra": "-s",
        "acpi": False,
    }


def test_a_parameter_that_is_not_known_here_is_a_plain_field_for_administrators() -> None:
    defaults = {"newer": 4, "flag": True, "text": "de"}
    piece = ParameterPiece("hvparams", {}, defaults, RELEASE, is_admin=True)
    spec = replace(BLANK, hvparams={"newer": 5, "flag": False, "text": "us"})
    assert again([piece], spec) == spec
    assert ParameterPiece("hvparams", {}, defaults, RELEASE, is_admin=False).fields({}) == {}
    assert set(SpecForm([piece], {"hvparams.newer": "x", "hvparams.flag": "y"}).errors) == {
        "hvparams.newer",
        "hvparams.flag",
    }


def test_a_value_that_is_no_choice_any_more_can_stay_chosen() -> None:
    piece = ParameterPiece("hvparams", of_hypervisor("kvm"), {"disk_type": "ide"}, RELEASE, is_admin=True)
    assert 'value="floppy" selected' in str(SpecForm([piece], {"hvparams.disk_type": "floppy"})["hvparams.disk_type"])


def test_empty_is_typed_where_the_default_is_something() -> None:
    kernel = of_hypervisor("kvm")["kernel_path"]
    piece = piece_of(kernel, default="/boot/vmlinuz")
    assert EMPTY in str(piece.fields({})["hvparams.kernel_path"].help_text)
    assert read([piece], {"hvparams.kernel_path": EMPTY}).hvparams == {"kernel_path": ""}


@given(st.integers(1, 2**40))
def test_sizes_are_typed_exactly(size: int) -> None:
    assert read_size(size_text(size)) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("20 GiB", 20480), ("20g", 20480), ("1.5T", 1572864), ("1,5 GB", 1536), (" 2 M ", 2)],
)
def test_sizes_are_typed_with_units(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "20", "127", "NaN", "1e9", "٣", "20 GiBs", "20 K", "9" * 14, "999999999 T"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        read_size(text)


def pieces_for(spec: VMSpec) -> list[Piece]:
    hypervisor = of_hypervisor(spec.hypervisor or "kvm")
    return [
        SystemPiece(["noop"]),
        HypervisorPiece(["kvm", "fake"]),
        TemplatePiece(["file", "sharedfile"]),
        DisksPiece(RELEASE, is_admin=True, template=spec.disk_template),
        NicsPiece(RELEASE, is_admin=True),
        ParameterPiece("beparams", BACKEND, dict.fromkeys(BACKEND), RELEASE, is_admin=True),
        ParameterPiece("hvparams", hypervisor, dict.fromkeys(hypervisor), RELEASE, is_admin=True),
        TagsPiece(),
        PlacementPiece([], [], has_allocator=True),
        OptionsPiece(),
    ]


@given(machines())
def test_what_is_typed_for_a_machine_gives_it_back(spec: VMSpec) -> None:
    assert again(pieces_for(spec), spec) == spec


@given(machines())
def test_a_form_that_is_left_alone_changes_nothing(spec: VMSpec) -> None:
    kept = replace(spec, disks=tuple(replace(each, uuid=f"u{n}") for n, each in enumerate(spec.disks)))
    assert again(pieces_for(spec), kept, kept) == kept


@pytest.mark.feature("F163", "F164")
@pytest.mark.parametrize("template", sorted(set(OF_TEMPLATES) - {DISKLESS}))
def test_disks_of_every_template_can_be_given_what_they_take(template: str) -> None:
    own: dict[str, dict[str, Any]] = {
        "ext": {"provider": "nfs", "provider_params": {"pool": "fast"}},
        "rbd": {"access": "userspace"},
    }
    disk = DiskSpec(10240, name="data", mode="ro", **own.get(template, {}))
    piece = DisksPiece(RELEASE, is_admin=True, template=template)
    assert again([piece], replace(BLANK, disks=(disk, DiskSpec(1)))).disks == (disk, DiskSpec(1))


@pytest.mark.feature("F164", "F165")
def test_disks_come_and_go_and_nothing_else_typed_is_lost() -> None:
    typed = {"disks.0.size_mib": "1 GiB", "disks.1.size_mib": "x", "disks.2.size_mib": "3 GiB", "name": "web1"}
    more = with_part("disks", "size_mib", typed)
    assert more == {**typed, "disks.3.size_mib": ""}
    less = without_part("disks.1", more)
    assert less == {"disks.0.size_mib": "1 GiB", "disks.1.size_mib": "3 GiB", "disks.2.size_mib": "", "name": "web1"}
    assert without_part("disks.0", {"disks.0.size_mib": "1"}) == {}
    assert with_part("nics", "mac", {}) == {"nics.0.mac": ""}


def test_a_form_that_is_not_judged_shows_what_was_typed_and_says_nothing_of_it() -> None:
    typed = {"disks.0.size_mib": "much", "disks.1.size_mib": "2 GiB"}
    form = SpecForm([DisksPiece(RELEASE, is_admin=False)], typed, is_judged=False)
    assert form.errors == {}
    assert form.spec(BLANK).disks[1] == DiskSpec(2048)
    assert 'value="much"' in str(form["disks.0.size_mib"])


@pytest.mark.feature("F167")
def test_networks_say_what_is_free_and_the_chosen_one_offers_addresses() -> None:
    network = NetworkFacts("192.0.2.0/29", frozenset({"default"}), "office", 2, "XX.X.XXX")
    piece = NicsPiece(RELEASE, is_admin=False, networks={"office": network})
    form = SpecForm([piece], {"nics.0.network": "office"})
    assert "office (192.0.2.0/29, 2 free)" in str(form["nics.0.network"])
    assert "192.0.2.2, 192.0.2.4" in str(form.fields["nics.0.ip"].help_text)
    assert form.spec(BLANK).nics == (NicSpec(network="office"),)


def test_many_numbers_make_no_endless_form() -> None:
    typed = {f"disks.{number}.size_mib": "1" for number in range(1000)}
    assert len(SpecForm([DisksPiece(RELEASE, is_admin=True)], typed, is_judged=False).fields) < 200


@pytest.mark.feature("F155")
def test_systems_stand_by_os_with_their_variants() -> None:
    page = str(SpecForm([SystemPiece(["debian+12", "debian+13", "noop"])], {"os": "debian+13"})["os"])
    assert '<optgroup label="debian">' in page
    assert '<option value="debian+13" selected>debian 13</option>' in page
    assert '<option value="noop">noop</option>' in page


def test_what_a_network_decides_is_not_shown_as_the_clusters() -> None:
    piece = NicsPiece((3, 0), is_admin=True, defaults={"mode": "bridged", "link": "br0"})
    page = str(SpecForm([piece], {"nics.0.mac": "", "nics.0.network": "lan"}, is_judged=False))
    assert page.count("as the network says") == 3 and "bridged)" not in page and "br0" not in page
