"""How much may be used on a cluster, and what operations under way have claimed of it."""

from django.db import models

from clusters.models import Cluster
from permissions.models import Persona
from quotas.amounts import DIMENSIONS, Amounts, Limits


class Limited(models.Model):
    """Empty: no limit; 0: nothing."""

    memory_mib = models.PositiveBigIntegerField(null=True, blank=True)
    disk_mib = models.PositiveBigIntegerField(null=True, blank=True)
    vcpus = models.PositiveIntegerField(null=True, blank=True)
    machines = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def limits(self) -> Limits:
        """For the arithmetic."""
        return Limits(*(getattr(self, name) for name in DIMENSIONS))


class DefaultQuota(Limited):
    """For each persona on a cluster that has no quota of its own there. A cluster without one limits nobody."""

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, related_name="default_quota")

    def __str__(self) -> str:
        return f"default on {self.cluster}"


class Quota(Limited):
    """Of one persona on one cluster, instead of the default as a whole."""

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="quotas")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="quotas")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["persona", "cluster"], name="quota_once")]

    def __str__(self) -> str:
        return f"{self.persona} on {self.cluster}"


class Claim(models.Model):
    """What an operation under way will use, until its machine shows it or it has failed."""

    entry = models.UUIDField(db_index=True, help_text="the operation's journal entry")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="claims")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="claims")
    memory_mib = models.BigIntegerField(default=0)
    disk_mib = models.BigIntegerField(default=0)
    vcpus = models.IntegerField(default=0)
    machines = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["persona", "cluster"], name="claim_of_persona")]

    def __str__(self) -> str:
        return f"{self.persona} on {self.cluster}"

    @property
    def amounts(self) -> Amounts:
        """For the arithmetic."""
        return Amounts(*(getattr(self, name) for name in DIMENSIONS))
