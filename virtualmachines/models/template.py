"""Templates: what a creation can say, kept under a name. Ganeti knows nothing of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from clusters.models import Cluster
from permissions.access import Access
from permissions.models import Granted, Persona

_EVERYTHING = frozenset({"use", "audit"})


class MachineTemplate(models.Model):
    """One template, for a cluster or (none) for any. Figures are those that `spec` says, for lists; sizes are MiB."""

    access = Access(
        kind="template",
        noun=_("template"),
        owner="owner",
        verbs={
            "admin": _("Change and delete it, and grant rights on it"),
            "use": _("Create machines from it, and copy it"),
            "audit": _("See it, who did what to it and why they may, and change nothing"),
        },
        refusals={
            "admin": _("You may not change this template (needs admin)."),
            "use": _("You may not use this template (needs use)."),
            "audit": _("You may not see what others did to this template (needs audit)."),
        },
        implies={"admin": _EVERYTHING},
        parent="cluster",
        from_parent={"admin": _EVERYTHING | {"view", "admin"}, "audit": frozenset({"view", "audit"})},
    )

    name = models.CharField(max_length=100)
    cluster = models.ForeignKey(
        Cluster, null=True, blank=True, on_delete=models.CASCADE, related_name="templates", help_text="empty: any"
    )
    owner = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.SET_NULL, related_name="templates")
    description = models.CharField(max_length=255, blank=True)
    spec = models.JSONField(default=dict, help_text="see virtualmachines.spec.data; without name and secrets")
    notes = models.TextField(blank=True, help_text="of the machines created from it")
    is_protected = models.BooleanField(default=False, help_text="whether machines created from it are")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    os = models.CharField(max_length=255, blank=True)
    hypervisor = models.CharField(max_length=20, blank=True)
    vcpus = models.IntegerField(null=True, blank=True)
    memory_mib = models.BigIntegerField(null=True, blank=True)
    disk_mib = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["name", "cluster"]
        constraints = [
            models.UniqueConstraint(fields=["cluster", "name"], name="template_once_on_a_cluster"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(cluster__isnull=True), name="template_once_for_any"
            ),
        ]
        permissions = [
            ("admin", "Change and delete it"),
            ("use", "Create machines from it"),
            ("audit", "See it wholly"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class TemplateUserGrant(Granted, UserObjectPermissionBase):
    """One verb on one template for one person."""

    content_object = models.ForeignKey(MachineTemplate, on_delete=models.CASCADE, related_name="user_grants")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False


class TemplateGroupGrant(Granted, GroupObjectPermissionBase):
    """One verb on one template for one group."""

    content_object = models.ForeignKey(MachineTemplate, on_delete=models.CASCADE, related_name="group_grants")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
