"""Backend parameters, which every hypervisor has, and what a disk and a network card of a machine can be given."""

from django.utils.translation import gettext_lazy as _

from clusters.catalogue.parameter import Choice, Group, Kind, Level, Parameter, by_name, choices

# fmt: off
# Each: name and label; help; type, and who may set it.

_NAME = r"[^\x00-\x1f]{1,255}"

BACKEND = by_name(
    Parameter("vcpus", _("Virtual CPUs"),
        _("How many processors the guest sees."),
        Kind.INTEGER, Group.RESOURCES, least=1),
    Parameter("maxmem", _("Memory"),
        _("What the guest gets where the node has it."),
        Kind.SIZE, Group.RESOURCES, unit="MiB", least=1, since=(2, 6)),
    Parameter("minmem", _("Minimum memory"),
        _("With how little it may be started, or run, where the node is short of memory. The guest needs a balloon"
          " driver to give some back."),
        Kind.SIZE, Group.RESOURCES, unit="MiB", least=1, since=(2, 6)),
    Parameter("auto_balance", _("Auto-balance"),
        _("Ganeti keeps memory free on the secondary node for it, and tools that even out the load may move it."),
        Kind.SWITCH, Group.RESOURCES, Level.ADMIN),
    Parameter("always_failover", _("Never migrated"),
        _("Instead of migrating it live, Ganeti shuts it down and starts it on the other node."),
        Kind.SWITCH, Group.RESOURCES, Level.ADMIN, since=(2, 6)),
    Parameter("spindle_use", _("Weight of disk load"),
        _("How much it counts among the disk users of a node when machines are placed. 0: not at all."),
        Kind.INTEGER, Group.RESOURCES, Level.ADMIN, least=0, since=(2, 6)),
)

# What a cluster has defaults for, and what a card can have of its own.
NIC_DEFAULTS = by_name(
    Parameter("mode", _("Mode"),
        _("How the card is connected: to a bridge, by routing (which needs an address), to Open vSwitch, or as the"
          " chosen network says (pool)."),
        Kind.CHOICE, Group.NETWORK,
        choices=choices("bridged", "routed", Choice("openvswitch", since=(2, 9)), Choice("pool", since=(2, 7)),
                        Choice("ext", since=(3, 2)))),
    Parameter("link", _("Link"),
        _("What it is connected to on the node: the bridge, the switch, or the routing table."),
        Kind.TEXT, Group.NETWORK, pattern=r"[\x21-\x7e]{1,255}"),
    Parameter("vlan", _("VLAN"),
        _("Its VLAN on Open vSwitch or on a bridge that knows VLANs: .10 for frames without a tag, :10:20 for more"
          " with tags."),
        Kind.TEXT, Group.NETWORK, pattern=r"\d{1,4}|\.\d{1,4}(?::\d{1,4})*|(?::\d{1,4})+", is_optional=True,
        since=(2, 9)),
)

NIC = NIC_DEFAULTS | by_name(
    Parameter("mac", _("MAC address"),
        _("Its hardware address. auto has Ganeti make one."),
        Kind.TEXT, Group.NETWORK, pattern=r"auto|generate|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}"),
    Parameter("ip", _("IP address"),
        _("The address that Ganeti notes for it; pool takes a free one of its network. The guest must set it up"
          " itself unless its OS definition does."),
        Kind.TEXT, Group.NETWORK, pattern=r"pool|none|[0-9A-Fa-f:.]+", is_optional=True),
    Parameter("network", _("Network"),
        _("The Ganeti network that it belongs to, which gives it mode, link and addresses."),
        Kind.TEXT, Group.NETWORK, is_optional=True, since=(2, 7)),
    Parameter("name", _("Name"),
        _("A name by which it can be addressed, besides its number."),
        Kind.TEXT, Group.NETWORK, pattern=_NAME, is_optional=True, since=(2, 8)),
)

DISK = by_name(
    Parameter("size", _("Size"),
        _("How large it is. A disk can grow later, and never shrink."),
        Kind.SIZE, Group.DISKS, unit="MiB", least=1),
    Parameter("mode", _("Access"),
        _("Whether the guest may write on it (rw) or only read it (ro)."),
        Kind.CHOICE, Group.DISKS, choices=choices("rw", "ro")),
    Parameter("name", _("Name"),
        _("A name by which it can be addressed, besides its number."),
        Kind.TEXT, Group.DISKS, pattern=_NAME, is_optional=True, since=(2, 8)),
    Parameter("spindles", _("Spindles"),
        _("How many physical disks it takes, in clusters that give each machine disks of its own."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, least=1, is_optional=True, since=(2, 9)),
    Parameter("vg", _("Volume group"),
        _("The LVM volume group in which it is made. Empty: the cluster's."),
        Kind.TEXT, Group.DISKS, Level.ADMIN, pattern=r"[A-Za-z0-9_.+-]+", is_optional=True),
    Parameter("metavg", _("Volume group for metadata"),
        _("The LVM volume group for DRBD's metadata. Empty: the cluster's."),
        Kind.TEXT, Group.DISKS, Level.ADMIN, pattern=r"[A-Za-z0-9_.+-]+", is_optional=True),
    Parameter("access", _("Reached through"),
        _("Whether QEMU speaks to the storage itself (userspace) or through a block device of the node."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN, choices=choices("kernelspace", "userspace"), is_optional=True,
        since=(2, 10)),
    Parameter("provider", _("Storage provider"),
        _("Which of the cluster's external storage providers makes it."),
        Kind.TEXT, Group.DISKS, Level.ADMIN, pattern=r"[A-Za-z0-9_.+-]+", is_optional=True, since=(2, 7)),
    Parameter("adopt", _("Take over"),
        _("An existing volume or device of the node that becomes this disk, with what is on it."),
        Kind.TEXT, Group.DISKS, Level.HOST, is_optional=True),
)
