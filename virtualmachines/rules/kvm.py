"""What parameters of KVM need of each other."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from objectlog.words import gettext as _
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.sizes import Fault

# Ganeti's VALID_SERIAL_SPEEDS
_SPEEDS = (
    *(75, 110, 300, 600, 1200, 1800, 2400, 4800, 9600, 14400),
    *(19200, 28800, 38400, 57600, 115200, 230400, 345600, 460800),
)
#: of no use, and refused, where SPICE listens nowhere; the others are on by default
_OF_SPICE = (
    "spice_ip_version",
    "spice_password_file",
    "spice_use_tls",
    "spice_image_compression",
    "spice_jpeg_wan_compression",
    "spice_zlib_glz_wan_compression",
    "spice_streaming_video",
)
#: the first release that is known to look at both
_TELLS_CACHE = (3, 0)
_BY_KERNEL = "direct_kernel"


def judge_kvm(values: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    """What Ganeti looks at too, but only when the job runs. `values` are those in force."""
    # From 4.0 on one is told how it starts; before, what there is for it decides, and all of it is looked at.
    mode = values.get("boot_type")
    if mode != _BY_KERNEL:
        yield from _judge_drives(values)
    if mode in (None, _BY_KERNEL) and values.get("kernel_path") and "root_path" in values and not values["root_path"]:
        yield "hvparams.root_path", _("A kernel needs the root device.")
    if values.get("cdrom2_image_path") and not values.get("cdrom_image_path"):
        yield "hvparams.cdrom2_image_path", _("The second CD-ROM needs a first one.")
    if values.get("serial_console") and values.get("serial_speed") not in _SPEEDS:
        yield "hvparams.serial_speed", _("Choose one of %(choices)s.") % {"choices": ", ".join(map(str, _SPEEDS))}
    if values.get("disk_aio") == "native" and values.get("disk_cache") != "none" and facts.release >= _TELLS_CACHE:
        yield "hvparams.disk_aio", _("The disk cache must be none for it.")
    yield from _judge_security(values, facts)
    yield from _judge_spice(values)
    if values.get("vnc_x509_path") and not values.get("vnc_tls"):
        yield "hvparams.vnc_x509_path", _("A certificate for VNC needs TLS switched on.")
    if values.get("vnc_x509_verify") and not values.get("vnc_x509_path"):
        yield "hvparams.vnc_x509_verify", _("To verify clients, name the directory of the certificates.")


def _judge_drives(values: Mapping[str, Any]) -> Iterator[Fault]:
    if values.get("boot_order") == "cdrom" and not values.get("cdrom_image_path"):
        yield "hvparams.boot_order", _("To boot from the CD-ROM, choose an image for it.")
    if values.get("boot_order") == "floppy" and not values.get("floppy_image_path"):
        yield "hvparams.boot_order", _("To boot from the floppy disk, choose an image for it.")


def _judge_spice(values: Mapping[str, Any]) -> Iterator[Fault]:
    address, version = str(values.get("spice_bind") or ""), values.get("spice_ip_version")
    if not address:
        for name in _OF_SPICE:
            if values.get(name):
                yield f"hvparams.{name}", _("Say at which address SPICE listens.")
        return
    if values.get("vnc_bind_address"):
        yield "hvparams.spice_bind", _("A machine has either VNC or SPICE: have VNC listen nowhere.")
    try:
        is_other = version in (4, 6) and ip_address(address).version != version
    except ValueError:  # the name of a network interface
        is_other = False
    if is_other:
        yield "hvparams.spice_ip_version", _("The address at which SPICE listens is of the other version.")


def _judge_security(values: Mapping[str, Any], facts: Facts) -> Iterator[Fault]:
    model, domain = values.get("security_model"), str(values.get("security_domain") or "")
    if model == "user" and not domain:
        yield "hvparams.security_domain", _("Name the user of the node as whom it runs.")
    elif model == "user" and not domain[0].isalpha():
        yield "hvparams.security_domain", _("The name of a user begins with a letter.")
    elif domain and model in ("none", "pool"):
        yield "hvparams.security_domain", _("A user of the node is named only where it runs as one.")
    if model == "pool" and not facts.has_user_pool:
        yield "hvparams.security_model", _("This cluster has no pool of users.")
