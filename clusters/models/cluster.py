"""A Ganeti cluster, how to reach it, and how its last updates went."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from permissions.access import Access
from sealing.fields import EncryptedTextField

_EVERYTHING = frozenset({"create_vm", "migrate", "export", "replace_disks", "tags"})


class TlsTrust(models.TextChoices):
    """By what the RAPI certificate is verified."""

    PIN = "pin", _("this certificate (fingerprint)")
    CA = "ca", _("a custom CA")
    SYSTEM = "system", _("the system CAs")


class Cluster(models.Model):
    """One cluster: address and credentials, what Ganeti says of itself, and the state of the updates."""

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
        },
        deeds={
            "admin": _("change the settings of this cluster"),
            "create_vm": _("create machines on this cluster"),
            "migrate": _("move machines on this cluster"),
            "export": _("export machines of this cluster"),
            "replace_disks": _("replace disks on this cluster"),
            "tags": _("set tags on this cluster"),
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

    # What Ganeti says of itself, from /2/info.
    uuid = models.CharField(max_length=36, blank=True)
    name = models.CharField(max_length=255, blank=True)
    master = models.CharField(max_length=255, blank=True)
    software_version = models.CharField(max_length=40, blank=True)
    default_hypervisor = models.CharField(max_length=20, blank=True)
    enabled_hypervisors = models.JSONField(default=list, blank=True)
    info = models.JSONField(default=dict, blank=True, help_text="the whole of /2/info")
    operating_systems = models.JSONField(default=list, blank=True)
    operating_systems_at = models.DateTimeField(null=True, blank=True)
    fallback_hosts = models.JSONField(default=list, blank=True, help_text="addresses of the master candidates")

    # Where it was last found, if not at the configured address.
    answers_at = models.CharField(
        max_length=255, blank=True, help_text="host that answered instead of the configured one; empty: that one did"
    )
    answers_at_since = models.DateTimeField(null=True, blank=True)
    host_tried_at = models.DateTimeField(null=True, blank=True, help_text="when the configured host was last tried")

    # How the updates go.
    synced_at = models.DateTimeField(null=True, blank=True, help_text="end of the last complete update")
    live_at = models.DateTimeField(null=True, blank=True, help_text="when live state (status, memory) was last read")
    attempted_at = models.DateTimeField(null=True, blank=True)
    unreachable_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="updates failed in a row")
    last_error = models.TextField(blank=True)
    last_error_kind = models.CharField(max_length=40, blank=True)
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="empty: at once")
    sync_wanted_at = models.DateTimeField(null=True, blank=True, help_text="somebody asked for an update at this time")
    live_error = models.TextField(blank=True, help_text="why live state is older than the rest; empty: it is not")
    live_failed_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=64, blank=True)
    sync_queued_at = models.DateTimeField(null=True, blank=True, help_text="an update was handed to the workers")
    follow_leased_until = models.DateTimeField(null=True, blank=True, help_text="somebody follows its jobs")
    follow_queued_at = models.DateTimeField(null=True, blank=True)
    defaults_digest = models.CharField(
        max_length=64, blank=True, help_text="of what Ganeti merges into every machine's record"
    )
    configs_read_at = models.DateTimeField(null=True, blank=True, help_text="last reading of all configuration")
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
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed: no RAPI user, or somebody said so."""
        return self.read_only or not self.username
