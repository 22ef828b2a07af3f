"""Parameters of disk templates: how clusters and groups make and keep disks of each."""

from django.utils.translation import gettext_lazy as _

from clusters.catalogue.parameter import Group, Kind, Level, Parameter, by_name, choices

# fmt: off
# Each: name and label; help; type, and who may set it.

_ACCESS = by_name(
    Parameter("access", _("Reached through"),
        _("Whether QEMU speaks to the storage itself (userspace) or through a block device of the node."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN, choices=choices("kernelspace", "userspace"), since=(2, 10)),
)

PLAIN = by_name(
    Parameter("stripes", _("Stripes"),
        _("Over how many physical volumes a new logical volume is spread."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, least=1, since=(2, 6)),
)

DRBD = by_name(
    Parameter("data-stripes", _("Data stripes"),
        _("Over how many physical volumes the data of a new disk is spread."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, least=1, since=(2, 6)),
    Parameter("meta-stripes", _("Metadata stripes"),
        _("Over how many physical volumes the metadata of a new disk is spread."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, least=1, since=(2, 6)),
    Parameter("metavg", _("Volume group for metadata"),
        _("The LVM volume group in which metadata is kept, unless a disk says otherwise."),
        Kind.TEXT, Group.DISKS, Level.HOST, since=(2, 6)),
    Parameter("protocol", _("Protocol"),
        _("When a write counts as done: when it is sent (A), received (B), or written on both nodes (C)."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN, choices=choices("A", "B", "C")),
    Parameter("disk-barriers", _("Barriers switched off"),
        _("Which safeguards of the order of writes are switched off: b barriers, f flushes, d drains, n none. Only"
          " with a controller that keeps its cache without power."),
        Kind.TEXT, Group.DISKS, Level.ADMIN, pattern=r"n|b?d?f?|b?f?d?", since=(2, 6)),
    Parameter("meta-barriers", _("Metadata flushes off"),
        _("Metadata is written without flushing it. Only with a controller that keeps its cache without power."),
        Kind.SWITCH, Group.DISKS, Level.ADMIN, since=(2, 6)),
    Parameter("resync-rate", _("Resync speed"),
        _("How fast the nodes catch up after one was away, when the speed is fixed."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit="KiB/s", least=0, since=(2, 6)),
    Parameter("dynamic-resync", _("Dynamic resync speed"),
        _("DRBD adapts its speed to what the network gives, within the bounds below."),
        Kind.SWITCH, Group.DISKS, Level.ADMIN, since=(2, 6)),
    Parameter("c-plan-ahead", _("Planning time"),
        _("How far DRBD plans its speed ahead; larger is slower to react. 0 switches the controller off."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit=_("tenths of a second"), least=0, since=(2, 6)),
    Parameter("c-fill-target", _("Data under way"),
        _("How much of a resync may be on the line at a time. 0: the delay decides."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit=_("sectors"), least=0, since=(2, 6)),
    Parameter("c-delay-target", _("Delay"),
        _("How long the other node may take to answer before DRBD slows down."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit=_("tenths of a second"), least=0, since=(2, 6)),
    Parameter("c-min-rate", _("Lowest resync speed"),
        _("A resync goes at least so fast, even while machines use their disks."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit="KiB/s", least=0, since=(2, 6)),
    Parameter("c-max-rate", _("Highest resync speed"),
        _("A resync goes no faster than this."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, unit="KiB/s", least=0, since=(2, 6)),
    Parameter("disk-custom", _("More disk options"),
        _("Options that drbdsetup gets for the disk, as they are."),
        Kind.TEXT, Group.DISKS, Level.HOST, is_optional=True, since=(2, 6)),
    Parameter("net-custom", _("More network options"),
        _("Options that drbdsetup gets for the connection, as they are."),
        Kind.TEXT, Group.DISKS, Level.HOST, is_optional=True, since=(2, 6)),
)

RBD = _ACCESS | by_name(
    Parameter("pool", _("Pool"),
        _("The Ceph pool in which images are made."),
        Kind.TEXT, Group.DISKS, Level.HOST, since=(2, 6)),
    Parameter("user-id", _("Ceph user"),
        _("The Ceph user as whom nodes reach the pool. Empty: Ceph's default."),
        Kind.TEXT, Group.DISKS, Level.HOST, is_optional=True, since=(3, 2)),
    Parameter("namespace", _("Namespace"),
        _("The namespace of the pool in which images are made. Empty: none."),
        Kind.TEXT, Group.DISKS, Level.HOST, is_optional=True, since=(4, 0)),
)

GLUSTER = _ACCESS | by_name(
    Parameter("host", _("Server"),
        _("The Gluster server that nodes connect to."),
        Kind.TEXT, Group.DISKS, Level.HOST, since=(2, 11)),
    Parameter("port", _("Port"),
        _("The port of the Gluster server."),
        Kind.INTEGER, Group.DISKS, Level.HOST, least=1, most=65535, since=(2, 11)),
    Parameter("volume", _("Volume"),
        _("The Gluster volume in which disks are kept."),
        Kind.TEXT, Group.DISKS, Level.HOST, since=(2, 11)),
)

EXT = _ACCESS

#: Templates without parameters are there too.
OF_TEMPLATES = {
    "blockdev": by_name(),
    "diskless": by_name(),
    "drbd": DRBD,
    "ext": EXT,
    "file": by_name(),
    "gluster": GLUSTER,
    "plain": PLAIN,
    "rbd": RBD,
    "sharedfile": by_name(),
}
