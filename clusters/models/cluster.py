"""A Ganeti cluster, how to reach it, what it says of itself, and what is wrong with it."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from clusters.models.schedule import Schedule
from objectlog.words import ToldField
from permissions.access import Access
from sealing.fields import EncryptedTextField

_EVERYTHING = frozenset({"create_vm", "migrate", "export", "replace_disks", "tags", "audit"})


class TlsTrust(models.TextChoices):
    """By what the RAPI certificate is verified."""

    PIN = "pin", _("this certificate (fingerprint)")
    CA = "ca", _("a custom CA")
    SYSTEM = "system", _("the system CAs")


class Cluster(models.Model):
    """One cluster: address and credentials, what Ganeti says of itself, and what the last update failed of.

    What every update writes stands in its `Schedule`, so that this row changes only when something has.
    """

    access = Access(
        kind="cluster",
        noun=_("cluster"),
        verbs={
            "admin": _("Everything on the cluster and its machines, including granting rights"),
            "create_vm": _("Create machines on the cluster"),
            "migrate": _("Move machines between nodes, and change the role of nodes"),
            "export": _("Export machines"),
            "replace_disks": _("Replace the disks of machines"),
            "tags": _("Set tags on the cluster"),
            "audit": _("See everything on the cluster, who did what there and why they may, and change nothing"),
        },
        refusals={
            "admin": _("You may not change the settings of this cluster (needs admin)."),
            "create_vm": _("You may not create machines on this cluster (needs create_vm)."),
            "migrate": _("You may not move machines on this cluster (needs migrate)."),
            "export": _("You may not export machines of this cluster (needs export)."),
            "replace_disks": _("You may not replace disks on this cluster (needs replace_disks)."),
            "tags": _("You may not set tags on this cluster (needs tags)."),
            "audit": _("You may not see everything on this cluster (needs audit)."),
        },
        implies={"admin": _EVERYTHING},
    )

    slug = models.SlugField(max_length=100, unique=True, help_text="its name in addresses and on the command line")
    host = models.CharField(max_length=255, help_text="name or address of the cluster's master, IPv4 or IPv6")
    port = models.PositiveIntegerField(default=5080)
    description = models.CharField(max_length=255, blank=True)
    username = models.CharField(max_length=100, blank=True, help_text="RAPI user; empty: read without signing in")
    password = EncryptedTextField(blank=True)
    vnc_password = EncryptedTextField(blank=True, help_text="what the machines' VNC servers ask for, if anything")
    tls_trust = models.CharField(max_length=10, choices=TlsTrust.choices, default=TlsTrust.PIN)
    tls_fingerprint = models.CharField(max_length=95, blank=True, help_text="SHA-256, as AB:CD:…")
    tls_ca_pem = models.TextField(blank=True)
    read_only = models.BooleanField(default=False, help_text="show it, change nothing on it")
    is_demo = models.BooleanField(default=False, help_text="the simulator that `manage.py up` runs")
    sync_interval_s = models.PositiveIntegerField(null=True, blank=True, help_text="empty: the setting's value")
    created_at = models.DateTimeField(auto_now_add=True)
    cd_images = models.JSONField(null=True, blank=True, help_text="CD images for its machines: {name, path} each")
    machine_sizes = models.JSONField(
        null=True, blank=True, help_text="sizes for its machines: {name, vcpus, memory_mib, disk_mib} each"
    )

    # What Ganeti says of itself, from /2/info.
    uuid = models.CharField(max_length=36, blank=True)
    name = models.CharField(max_length=255, blank=True)
    master = models.CharField(max_length=255, blank=True)
    software_version = models.CharField(max_length=40, blank=True)
    default_hypervisor = models.CharField(max_length=20, blank=True)
    enabled_hypervisors = models.JSONField(default=list, blank=True)
    info = models.JSONField(default=dict, blank=True, help_text="the whole of /2/info")
    operating_systems = models.JSONField(default=list, blank=True)
    fallback_hosts = models.JSONField(default=list, blank=True, help_text="addresses of the master candidates")

    # Where it was last found, if not at the configured address.
    answers_at = models.CharField(
        max_length=255, blank=True, help_text="host that answered instead of the configured one; empty: that one did"
    )
    answers_at_since = models.DateTimeField(null=True, blank=True)

    # What is wrong.
    unreachable_since = models.DateTimeField(null=True, blank=True)
    last_error = ToldField(blank=True)
    last_error_kind = models.CharField(max_length=40, blank=True)
    live_error = ToldField(blank=True, help_text="why live state is older than the rest; empty: it is not")
    defaults_digest = models.CharField(
        max_length=64, blank=True, help_text="of what Ganeti merges into every machine's record"
    )
    unreadable = models.JSONField(
        default=list, blank=True, help_text="records that can't be read: {kind, key, name, why, since} each"
    )
    query_troubles = models.JSONField(
        default=dict,
        blank=True,
        help_text="fields and records that Ganeti fails at, by resource",
    )
    last_job_id = models.BigIntegerField(default=0, help_text="highest job number seen")

    class Meta:
        ordering = ["slug"]
        permissions = [
            ("admin", "Everything on the cluster and its machines"),
            ("create_vm", "Create machines"),
            ("migrate", "Move machines"),
            ("export", "Export machines"),
            ("replace_disks", "Replace disks"),
            ("tags", "Set tags"),
            ("audit", "See everything, and change nothing"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new one is due at once: it comes with its schedule."""
        is_new = self._state.adding
        super().save(*args, **kwargs)
        if is_new:
            self.schedule = Schedule.objects.create(cluster=self)

    @property
    def synced_at(self) -> datetime | None:
        """When the last complete update ended."""
        schedule = getattr(self, "schedule", None)
        return schedule.synced_at if schedule else None

    @property
    def live_at(self) -> datetime | None:
        """When live state (status, memory) was last read."""
        schedule = getattr(self, "schedule", None)
        return schedule.live_at if schedule else None

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed: no RAPI user, or somebody said so."""
        return self.read_only or not self.username
