"""Backend, hypervisor and OS parameters of new machines and of changes: known, of the right kind, and who sets them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clusters.catalogue import BACKEND, Table, of_hypervisor
from objectlog.words import gettext as _
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.kvm import judge_kvm
from virtualmachines.rules.sizes import Fault
from virtualmachines.spec import VMSpec
from virtualmachines.spec.machine import Params, Value

_OS_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
#: read by the node, wherever it lies there
_OS_IMAGE = "os-image"


def judge_parameters(own: VMSpec, facts: Facts, *, is_admin: bool) -> Iterator[Fault]:
    """Each by itself, then what depends on others. `own` is trimmed: it holds what differs from the defaults."""
    yield from judge_table("beparams", own.beparams, BACKEND, facts.defaults.beparams, facts, is_admin=is_admin)
    defaults = facts.defaults.hvparams_of(own.hypervisor, own.os)
    table = of_hypervisor(own.hypervisor)
    yield from judge_table("hvparams", own.hvparams, table, defaults, facts, is_admin=is_admin)
    yield from judge_osparams(own, is_admin=is_admin)
    yield from judge_memory({**facts.defaults.beparams, **own.beparams})
    in_force = {**defaults, **own.hvparams}
    yield from judge_hypervisor(own.hypervisor, in_force, facts)
    yield from _judge_pinning(in_force.get("cpu_mask"), {**facts.defaults.beparams, **own.beparams}.get("vcpus"))


def judge_table(
    where: str, values: Params, table: Table, defaults: Params, facts: Facts, *, is_admin: bool
) -> Iterator[Fault]:
    """Values of one table, by the catalogue, or by the kind of the default where the catalogue does not know them.

    What the cluster does not know is refused; where it has told nothing, the catalogue alone decides.
    """
    for name, value in values.items():
        field, parameter = f"{where}.{name}", table.get(name)
        if name not in defaults and (defaults or parameter is None):
            yield field, _("This cluster knows no parameter called %s.") % name
        elif not is_admin and (parameter is None or parameter.is_for_admins):
            yield field, _("%s can be set by those who administer the cluster.") % _called(name, table)
        elif parameter is None:
            if type(value) is not type(defaults[name]) and defaults[name] not in (None, ""):
                yield field, _("%s: this is a value of another kind than the cluster's.") % name
        elif not parameter.exists_in(facts.release):
            yield field, _("%s: this release of Ganeti does not know it.") % _called(name, table)
        elif words := parameter.judge(value, facts.release):
            yield field, f"{_called(name, table)}: {words}"


def _called(name: str, table: Table) -> str:
    return str(table[name].label) if name in table else name


def judge_osparams(own: VMSpec, *, is_admin: bool) -> Iterator[Fault]:
    """Names, texts, and no file of the node's for who does not administer the cluster."""
    for where in ("osparams", "osparams_private", "osparams_secret"):
        values: Mapping[str, Value] = getattr(own, where)
        for name, value in values.items():
            if not _OS_NAME.fullmatch(name):
                yield f"{where}.{name}", _("The name of a parameter has letters, digits, and _ . - only.")
            elif not isinstance(value, str):
                yield f"{where}.{name}", _("Parameters of the OS are texts.")
            elif name == _OS_IMAGE and not is_admin:
                yield f"{where}.{name}", _("%s can be set by those who administer the cluster.") % name


def judge_memory(beparams: Mapping[str, Any]) -> Iterator[Fault]:
    """The minimum is not more than the memory."""
    least, most = beparams.get("minmem"), beparams.get("maxmem")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield "beparams.minmem", _("The minimum memory can't be more than the memory.")


def _judge_pinning(mask: Any, vcpus: Any) -> Iterator[Fault]:
    """One list of CPUs for all, or one for each: with others the guest is created and does not start."""
    if isinstance(mask, str) and isinstance(vcpus, int) and mask.count(":") not in (0, vcpus - 1):
        yield "hvparams.cpu_mask", _("Name the CPUs once for all virtual CPUs, or once for each.")


def judge_hypervisor(hypervisor: str, values: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    """What parameters of a hypervisor need of each other. `values` are those in force."""
    if values.get("initrd_path") not in (None, "", "no_initrd_path") and not values.get("kernel_path"):
        yield "hvparams.initrd_path", _("An initial RAM disk needs a kernel.")
    if hypervisor == "kvm":
        yield from judge_kvm(values, facts)
    elif hypervisor == "xen-hvm":
        if "d" in str(values.get("boot_order") or "")[:1] and not values.get("cdrom_image_path"):
            yield "hvparams.boot_order", _("To boot from the CD-ROM, choose an image for it.")
    elif hypervisor == "xen-pvm" and not values.get("use_bootloader"):
        for name, words in (("kernel_path", _("A kernel is needed.")), ("root_path", _("A root device is needed."))):
            if name in values and not values[name]:
                yield f"hvparams.{name}", words
