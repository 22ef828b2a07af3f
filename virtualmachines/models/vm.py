"""A virtual machine: what Ganeti knows of it, and what is ours (owner, notes)."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, Mirrored, Node, Watched, index_of_missing
from operations.models import Busy
from permissions.access import Access
from permissions.models import Persona

_EVERYTHING = frozenset({"power", "console", "modify", "remove", "tags"})


# What a list is filtered by: beside the names in an index, so that the long rows are read for one page alone.
_FILTERED = (
    *("cluster", "status", "missing_since", "busy_entry", "owner", "primary_node", "secondary_node"),
    *("os", "hypervisor", "disk_template", "memory_mib", "disk_mib", "vcpus", "mtime"),
)


def is_left_of_creation(row: Any) -> bool:
    """`VirtualMachine.was_never_made`, also of what has some of its columns."""
    return not row.uuid and row.missing_since is not None


class VirtualMachine(Mirrored, Watched, Busy):
    """One machine. Sizes are MiB; columns hold what pages show, sort and filter, `raw` the rest of the record."""

    access = Access(
        kind="vm",
        noun=_("machine"),
        owner="owner",
        tags="tag_rows",
        verbs={
            "admin": _("Everything on the machine, including granting rights on it"),
            "power": _("Start, stop and reboot it, and use its console"),
            "console": _("Use its console"),
            "modify": _("Change its settings"),
            "remove": _("Delete and reinstall it"),
            "tags": _("Set its tags"),
        },
        brought={
            "migrate": _("Move it to another node"),
            "replace_disks": _("Replace its disks, activate and recreate them"),
            "export": _("Export it"),
            "attach_disk": _("Attach disks to it"),
            "set_owner": _("Change its owner"),
            "forget": _("Forget it once it is missing"),
            "accept": _("Accept what was changed of it elsewhere"),
            "audit": _("See who did what to it, and why they may"),
        },
        refusals={
            "admin": _("You may not change who may do what on this machine (needs admin)."),
            "power": _("You may not start or stop this machine (needs power)."),
            "console": _("You may not open the console of this machine (needs console)."),
            "modify": _("You may not change the settings of this machine (needs modify)."),
            "remove": _("You may not delete or reinstall this machine (needs remove)."),
            "tags": _("You may not set tags on this machine (needs tags)."),
            "migrate": _("You may not move this machine (needs migrate)."),
            "replace_disks": _("You may not replace the disks of this machine (needs replace_disks)."),
            "export": _("You may not export this machine (needs export)."),
            "attach_disk": _("You may not attach disks (needs attach_disk)."),
            "set_owner": _("You may not change the owner of this machine (needs set_owner)."),
            "forget": _("You may not forget this machine (needs forget)."),
            "accept": _("You may not accept what was changed of this machine (needs accept)."),
            "audit": _("You may not see what others did to this machine (needs audit)."),
        },
        implies={"admin": _EVERYTHING | {"audit"}, "power": frozenset({"console"})},
        parent="cluster",
        from_parent={
            "admin": _EVERYTHING
            | {"view", "admin", "migrate", "replace_disks", "export", "forget", "attach_disk", "set_owner", "accept"}
            | {"audit"},
            "audit": frozenset({"view", "audit"}),
            "migrate": frozenset({"view", "migrate"}),
            "replace_disks": frozenset({"view", "replace_disks"}),
            "export": frozenset({"view", "export"}),
        },
    )

    watched = {
        **{name: name for name in ("name", "os", "hypervisor", "disk_template", "nics", "tags", "owner_tag")},
        **{name: name for name in ("vcpus", "memory_mib", "memory_min_mib", "disk_mib")},
        "primary_node": "primary_node_id",
        "secondary_node": "secondary_node_id",
    }
    journal_kind = "vm"

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="virtual_machines")
    owner = models.ForeignKey(
        Persona, null=True, blank=True, on_delete=models.SET_NULL, related_name="virtual_machines"
    )
    owner_name = models.CharField(
        max_length=151,
        blank=True,
        db_default="",
        editable=False,
        help_text="whom a tag names that is of its owner, a user or @team; kept by the database (owner_triggers)",
    )
    notes = models.TextField(blank=True)
    is_protected = models.BooleanField(
        default=False, db_default=False, help_text="whether it may not be deleted or reinstalled here"
    )

    # Configuration.
    admin_state = models.CharField(max_length=10, blank=True, help_text="up, down or offline: what it should be")
    hypervisor = models.CharField(max_length=20, blank=True)
    os = models.CharField(max_length=255, blank=True)
    primary_node = models.ForeignKey(
        Node, null=True, blank=True, on_delete=models.SET_NULL, related_name="primary_machines"
    )
    secondary_node = models.ForeignKey(
        Node, null=True, blank=True, on_delete=models.SET_NULL, related_name="secondary_machines"
    )
    vcpus = models.IntegerField(default=0)
    memory_mib = models.BigIntegerField(default=0, help_text="the most it may have")
    memory_min_mib = models.BigIntegerField(default=0)
    disk_mib = models.BigIntegerField(default=0, help_text="sum of its disks")
    disk_template = models.CharField(max_length=20, blank=True)
    network_port = models.IntegerField(null=True, blank=True, help_text="VNC or SPICE port on the primary node")
    disks = models.JSONField(default=list, blank=True, help_text="{name, uuid, size_mib, ...} in order")
    nics = models.JSONField(default=list, blank=True, help_text="{mac, ip, mode, link, network, vlan, ...} in order")
    tags = models.JSONField(default=list, blank=True)
    owner_tag = models.CharField(
        max_length=128, blank=True, db_default="", help_text="whose it is by its tag in Ganeti: a user, or @team"
    )
    search_text = models.TextField(blank=True, help_text="name, addresses, tags and OS in lower case")

    # Live state, as of the cluster's `live_at`.
    status = models.CharField(max_length=20, blank=True, help_text="Ganeti's word, see rapi")
    memory_used_mib = models.BigIntegerField(null=True, blank=True)
    vcpus_used = models.IntegerField(null=True, blank=True)

    waiting = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="what waits for a restart: with which value the guest runs, by the path of the setting",
    )
    waiting_since = models.DateTimeField(
        null=True, blank=True, help_text="when what waits was last changed, by Ganeti's clock"
    )

    class Meta:
        ordering = ["name", "cluster"]
        indexes = [
            models.Index(fields=["cluster", "name"], name="vm_name"),
            models.Index(fields=["cluster", "uuid"], name="vm_uuid"),
            index_of_missing("vm_missing"),
            # Orders of lists, with the key that breaks ties and picks the rows.
            models.Index(fields=["name", "id", *_FILTERED], name="vm_listed"),
            models.Index(fields=["status", "name", "id"], name="vm_by_status"),
            models.Index(fields=["os", "name", "id"], name="vm_by_os"),
            models.Index(fields=["vcpus", "name", "id"], name="vm_by_vcpus"),
            models.Index(fields=["memory_mib", "name", "id"], name="vm_by_memory"),
            models.Index(fields=["disk_mib", "name", "id"], name="vm_by_disk"),
            models.Index(fields=["name", "id"], condition=models.Q(waiting_since__isnull=False), name="vm_waiting"),
            models.Index(fields=["name", "id"], condition=models.Q(drift_since__isnull=False), name="vm_drifted"),
            models.Index(
                fields=["name", "id", "cluster", "uuid"],
                condition=models.Q(owner__isnull=True, missing_since__isnull=True),
                name="vm_unowned",
            ),
            models.Index(
                fields=["owner", "cluster", "id"],
                condition=models.Q(owner__isnull=False, missing_since__isnull=True)
                & ~models.Q(owner_tag="")
                & ~models.Q(owner_tag=models.F("owner_name")),
                name="vm_other_owner",
            ),
            # What lists and overviews count and sort of machines that are seen one by one, without their long rows.
            models.Index(
                fields=[
                    "id",
                    "cluster",
                    "status",
                    "missing_since",
                    "busy_entry",
                    "memory_mib",
                    "disk_mib",
                    "vcpus",
                    "name",
                ],
                name="vm_by_key",
            ),
            # What a right on a cluster gives: the keys of its machines, without their rows.
            models.Index(fields=["cluster", "id"], name="vm_of_cluster"),
            # The same of a role that is narrowed to an owner, and perhaps to a cluster.
            models.Index(fields=["owner", "cluster", "id"], name="vm_of_owner"),
            # Everything that lists and overviews count and sum, so that they need not touch the rows.
            models.Index(
                fields=["cluster", "status", "missing_since", "busy_entry", "memory_mib", "disk_mib", "vcpus"],
                name="vm_counted",
            ),
        ]
        permissions = [
            ("admin", "Everything on the machine"),
            ("power", "Start, stop, reboot, console"),
            ("console", "Console"),
            ("modify", "Change settings"),
            ("remove", "Delete and reinstall"),
            ("tags", "Set tags"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def was_never_made(self) -> bool:
        """Whether it is what is left of a creation that failed."""
        return is_left_of_creation(self)

    @property
    def hvparams(self) -> dict[str, object]:
        """The hypervisor parameters in force, cluster defaults filled in."""
        found = self.raw.get("hvparams")
        return found if isinstance(found, dict) else {}

    @property
    def beparams(self) -> dict[str, object]:
        """The backend parameters in force, cluster defaults filled in."""
        found = self.raw.get("beparams")
        return found if isinstance(found, dict) else {}

    @property
    def is_running(self) -> bool:
        """Whether Ganeti saw it running."""
        return self.status in ("running", "ERROR_up")

    @property
    def is_unheard_of(self) -> bool:
        """Whether its node did not answer when it was last asked, so that nobody knows whether it runs."""
        return self.status == "ERROR_nodedown"

    @property
    def stands_still(self) -> bool:
        """Whether it is known not to run."""
        return not (self.is_running or self.is_unheard_of)
