"""Parameters of LXC, of chroot, and of the hypervisor that only pretends."""

from django.utils.translation import gettext_lazy as _

from clusters.catalogue.parameter import Group, Kind, Level, Parameter, by_name, choices

# fmt: off
# Each: name and label; help; type, and who may set it.

LXC = by_name(
    Parameter("cpu_mask", _("Pinned to CPUs"),
        _("On which CPUs of the node it may run, such as 0-2,5. Empty: on all of them."),
        Kind.CPUS, Group.CPU, Level.ADMIN, is_optional=True, since=(2, 6)),
    Parameter("num_ttys", _("Terminals"),
        _("How many terminals the container has. Without one, gnt-instance console can't be used."),
        Kind.INTEGER, Group.DISPLAY, least=0, since=(2, 13)),
    Parameter("startup_timeout", _("Time to start"),
        _("For how long Ganeti waits for the container to run before it calls the start failed."),
        Kind.INTEGER, Group.BOOT, Level.ADMIN, unit="s", least=0, is_optional=True, since=(2, 13)),
    Parameter("devices", _("Devices"),
        _("Which devices of the node the container may use, as the devices cgroup writes them, separated by commas."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True, since=(2, 13)),
    Parameter("drop_capabilities", _("Capabilities taken away"),
        _("What root in the container may not do, as names of Linux capabilities without CAP_, separated by commas."
          " Without sys_boot it can't restart itself."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True, since=(2, 13)),
    Parameter("extra_cgroups", _("More control groups"),
        _("Control group subsystems that are mounted beside the ones needed, separated by commas."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True, since=(2, 13)),
    Parameter("extra_config", _("More LXC settings"),
        _("Lines for the container's LXC configuration, separated by commas. They can undo everything else."),
        Kind.TEXT, Group.SECURITY, Level.HOST, is_optional=True, since=(2, 13)),
)

CHROOT = by_name(
    Parameter("init_script", _("Start script"),
        _("The program in the root file system that is called to start and to stop it."),
        Kind.PATH, Group.BOOT, Level.HOST),
)

FAKE = by_name(
    Parameter("migration_mode", _("Migration"),
        _("Whether the machine, which is only pretended, keeps running while it moves."),
        Kind.CHOICE, Group.MIGRATION, Level.ADMIN, choices=choices("live", "non-live")),
)
