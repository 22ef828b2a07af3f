"""Parameters of KVM but for its screens, which are in `kvm_display`.

Names, types and bounds: hv_kvm.py and Constants.hs of Ganeti; what they mean: QEMU.
"""

from django.utils.translation import gettext_lazy as _

from clusters.catalogue.parameter import Choice, Group, Kind, Level, Parameter, by_name, choices

# fmt: off
# Each: name and label; help; type, and who may set it.

_DISK_TYPES = choices(
    "paravirtual", "ide", "scsi", "scsi-block", "scsi-cd", "scsi-generic", "scsi-hd", "sd", "mtd", "pflash"
)
_NIC_TYPES = choices(
    "paravirtual", "e1000", "rtl8139", "pcnet", "ne2k_pci", "ne2k_isa", "i82551", "i82557b", "i82559er"
)

BOOT = by_name(
    Parameter("boot_order", _("Boot from"),
        _("What the machine starts from first, unless a kernel of the node is given."),
        Kind.CHOICE, Group.BOOT, choices=choices("disk", "cdrom", "network", "floppy")),
    Parameter("boot_type", _("Boot mode"),
        _("Whether it starts by a BIOS or by UEFI, or with a kernel of the node (direct_kernel)."),
        Kind.CHOICE, Group.BOOT, choices=choices("direct_kernel", "direct_kernel_efi", "bios", "uefi"), since=(4, 0)),
    Parameter("ovmf_code", _("UEFI firmware"),
        _("The file of the node from which a new machine's UEFI is taken. Empty: as Ganeti was built."),
        Kind.PATH, Group.BOOT, Level.HOST, is_optional=True, since=(4, 0)),
    Parameter("ovmf_vars", _("UEFI variables"),
        _("The file of the node from which a new machine's UEFI variables are taken. Empty: as Ganeti was built."),
        Kind.PATH, Group.BOOT, Level.HOST, is_optional=True, since=(4, 0)),
    Parameter("cdrom_image_path", _("CD-ROM"),
        _("The image in the first CD-ROM drive: a file that each node has, or a URL. Empty: no drive."),
        Kind.PATH_OR_URL, Group.BOOT, Level.HOST, is_optional=True),
    Parameter("cdrom2_image_path", _("Second CD-ROM"),
        _("The image in a second CD-ROM drive, such as one with drivers. Empty: no drive."),
        Kind.PATH_OR_URL, Group.BOOT, Level.HOST, is_optional=True),
    Parameter("cdrom_disk_type", _("CD-ROM bus"),
        _("How the guest sees the CD-ROM drives. Empty: in the same way as disks. Installers often need ide."),
        Kind.CHOICE, Group.BOOT, choices=_DISK_TYPES, is_optional=True),
    Parameter("floppy_image_path", _("Floppy disk"),
        _("The image in the floppy drive, a file that each node has. Empty: no drive."),
        Kind.PATH, Group.BOOT, Level.HOST, is_optional=True),
    Parameter("kernel_path", _("Kernel of the node"),
        _("A kernel file of the node that is started in place of the guest's own. Empty: the guest boots by itself."),
        Kind.PATH, Group.BOOT, Level.HOST, is_optional=True),
    Parameter("initrd_path", _("Initial RAM disk"),
        _("The file of the node that goes with its kernel. Used only together with a kernel."),
        Kind.PATH, Group.BOOT, Level.HOST, is_optional=True),
    Parameter("kernel_args", _("Kernel arguments"),
        _("What the kernel is told at its start, such as ro or single. Used only together with a kernel."),
        Kind.TEXT, Group.BOOT, is_optional=True),
    Parameter("root_path", _("Root device"),
        _("Where the guest's root file system is, as the guest names it. Used only together with a kernel."),
        Kind.TEXT, Group.BOOT, is_optional=True),
    Parameter("reboot_behavior", _("When the guest restarts itself"),
        _("Let it restart, or switch the machine off instead (exit)."),
        Kind.CHOICE, Group.BOOT, choices=choices("reboot", "exit")),
    Parameter("user_shutdown", _("Shutdown from inside"),
        _("Whether a machine that was shut down from inside counts as stopped by its user. Otherwise it is an error,"
          " and Ganeti starts it again. The guest needs ACPI for it."),
        Kind.SWITCH, Group.BOOT, since=(2, 12)),
)

CPU = by_name(
    Parameter("cpu_type", _("CPU model"),
        _("The processor that the guest sees, and its features, as QEMU names them. Empty: QEMU's own default. With"
          " host, the machine may not run on a node with another processor."),
        Kind.TEXT, Group.CPU, Level.ADMIN, is_optional=True),
    Parameter("cpu_mask", _("Pinned to CPUs"),
        _("On which CPUs of the node it may run: all, a list such as 0-2,5, or one list for each virtual CPU,"
          " separated by colons."),
        Kind.CPUS, Group.CPU, Level.ADMIN, since=(2, 6)),
    Parameter("cpu_sockets", _("CPU sockets"),
        _("How many sockets the guest sees; some systems are licensed by them. 0: as QEMU does."),
        Kind.INTEGER, Group.CPU, least=0, is_optional=True),
    Parameter("cpu_cores", _("Cores for each socket"),
        _("How many cores the guest sees in each socket. 0: as QEMU does."),
        Kind.INTEGER, Group.CPU, least=0, is_optional=True),
    Parameter("cpu_threads", _("Threads for each core"),
        _("How many threads the guest sees in each core. 0: as QEMU does."),
        Kind.INTEGER, Group.CPU, least=0, is_optional=True),
    Parameter("acpi", _("ACPI"),
        _("The guest learns of the power button by it: without it, it can't be shut down in good order."),
        Kind.SWITCH, Group.CPU),
    Parameter("kvm_flag", _("Hardware virtualization"),
        _("Enabled, disabled (everything is emulated, and slow), or empty: as the KVM program of the node does."),
        Kind.CHOICE, Group.CPU, Level.ADMIN, choices=choices("enabled", "disabled"), is_optional=True),
    Parameter("machine_version", _("Machine type"),
        _("The main board that QEMU emulates, such as pc or q35. Empty: QEMU's default. Some guests do not start"
          " any more after a change."),
        Kind.TEXT, Group.CPU, Level.ADMIN, is_optional=True),
    Parameter("mem_path", _("Huge pages"),
        _("Where the node has mounted hugetlbfs; the guest's memory is then taken from it at once. Empty: not used."),
        Kind.PATH, Group.CPU, Level.HOST, is_optional=True),
    Parameter("use_localtime", _("Clock in local time"),
        _("The hardware clock shows the node's local time, as Windows expects, instead of UTC."),
        Kind.SWITCH, Group.CPU),
    Parameter("use_guest_agent", _("Guest agent"),
        _("A channel to the QEMU guest agent, if the guest runs one."),
        Kind.SWITCH, Group.CPU, since=(2, 16)),
)

DISKS = by_name(
    Parameter("disk_type", _("Disk bus"),
        _("How the guest sees its disks. paravirtual (virtio) is the fastest; the guest needs a driver for it."),
        Kind.CHOICE, Group.DISKS, choices=_DISK_TYPES),
    Parameter("scsi_controller_type", _("SCSI controller"),
        _("The controller that SCSI disks hang on. virtio-scsi-pci needs a driver in the guest."),
        Kind.CHOICE, Group.DISKS,
        choices=choices("lsi", "megasas", "virtio-scsi-pci", Choice("dc390", since=(4, 0))), since=(2, 16)),
    Parameter("disk_cache", _("Disk cache"),
        _("How the node caches what the guest writes. none goes past its cache; with writeback, what was written last"
          " is lost when the node fails."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN, choices=choices("default", "none", "writethrough", "writeback")),
    Parameter("disk_aio", _("Disk I/O"),
        _("How QEMU reads and writes: by threads of its own, or by the kernel of the node."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN,
        choices=choices("threads", "native", Choice("io_uring", since=(3, 1))), is_optional=True, since=(2, 12)),
    Parameter("virtio_disk_iothreads", _("Disk threads"),
        _("How many threads of QEMU work for paravirtual disks."),
        Kind.INTEGER, Group.DISKS, Level.ADMIN, least=0, most=8, since=(4, 0)),
    Parameter("disk_discard", _("Discard (trim)"),
        _("Whether blocks that the guest no longer needs are given back to the storage (unmap) or kept (ignore)."),
        Kind.CHOICE, Group.DISKS, Level.ADMIN,
        choices=choices(Choice("default", until=(3, 0)), "ignore", "unmap"), is_optional=True, since=(2, 16)),
)

NETWORK = by_name(
    Parameter("nic_type", _("Network card"),
        _("The card that the guest sees. paravirtual (virtio) is the fastest; the guest needs a driver for it."),
        Kind.CHOICE, Group.NETWORK, choices=_NIC_TYPES),
    Parameter("vhost_net", _("Network in the kernel"),
        _("The node's kernel handles packets of paravirtual cards itself, which costs less CPU time."),
        Kind.SWITCH, Group.NETWORK, Level.ADMIN),
    Parameter("virtio_net_queues", _("Queues of network cards"),
        _("How many queues a paravirtual card has, so that several virtual CPUs can share its work. 1: no sharing."),
        Kind.INTEGER, Group.NETWORK, Level.ADMIN, choices=choices(Choice("auto", since=(4, 0))), least=1, most=8,
        most_since=(((4, 0), 32),), is_optional=True, since=(2, 12)),
    Parameter("vnet_hdr", _("Network offloading"),
        _("The guest may leave checksums and splitting of large packets to the node. Switch it off for guests whose"
          " driver gets that wrong."),
        Kind.SWITCH, Group.NETWORK, Level.ADMIN, since=(2, 8)),
)

MIGRATION = by_name(
    Parameter("migration_mode", _("Migration"),
        _("Whether the guest keeps running while it moves (live) or is paused for it (non-live)."),
        Kind.CHOICE, Group.MIGRATION, Level.ADMIN, choices=choices("live", "non-live")),
    Parameter("migration_bandwidth", _("Migration bandwidth"),
        _("The most that a migration may take of the network."),
        Kind.INTEGER, Group.MIGRATION, Level.ADMIN, unit="MiB/s", least=0, is_optional=True),
    Parameter("migration_downtime", _("Pause during migration"),
        _("For how long the guest may stand still at the end of a live migration. Busy guests need more than the"
          " default."),
        Kind.INTEGER, Group.MIGRATION, Level.ADMIN, unit="ms", least=0, is_optional=True),
    Parameter("migration_caps", _("Migration capabilities"),
        _("What QEMU may do to make migration end sooner, separated by colons, such as xbzrle or auto-converge."),
        Kind.TEXT, Group.MIGRATION, Level.ADMIN, pattern=r"[a-z-]+(?::[a-z-]+)*", is_optional=True, since=(2, 12)),
    Parameter("migration_port", _("Migration port"),
        _("The port at which the target node listens during a migration."),
        Kind.INTEGER, Group.MIGRATION, Level.HOST, least=1, most=65534),
)

SECURITY = by_name(
    Parameter("security_model", _("Runs as"),
        _("Under which account of the node QEMU runs: root (none), one from the cluster's pool, or the user that is"
          " named."),
        Kind.CHOICE, Group.SECURITY, Level.HOST, choices=choices("none", "pool", "user")),
    Parameter("security_domain", _("User on the node"),
        _("The account under which QEMU runs, when it runs as a named user."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True),
    Parameter("use_chroot", _("Locked into an empty directory"),
        _("QEMU can reach no file of the node but its own disks."),
        Kind.SWITCH, Group.SECURITY, Level.HOST),
    Parameter("usb_devices", _("USB devices"),
        _("Devices that are plugged into the guest, in QEMU's words, separated by blanks."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True),
    Parameter("kvm_path", _("KVM program"),
        _("The QEMU program of the node."),
        Kind.PATH, Group.SECURITY, Level.HOST),
    Parameter("kvm_extra", _("More QEMU arguments"),
        _("Arguments that are given to QEMU as they are. They can undo everything else."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True),
    Parameter("kvm_pci_reservations", _("Reserved PCI slots"),
        _("How many of the 32 PCI slots are left to QEMU; disks and network cards get the rest."),
        Kind.INTEGER, Group.SECURITY, Level.ADMIN, least=0, most=31, since=(2, 16)),
)
