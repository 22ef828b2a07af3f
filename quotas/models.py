"""How much may be used on a cluster, what operations under way have claimed of it, and what somebody asked for."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster
from permissions.access import Access
from permissions.models import KeepsNames, Persona, User
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
    set_at = models.DateTimeField(null=True, blank=True, help_text="empty: by a release that did not keep it")

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


class UsageDay(models.Model):
    """The most that somebody used of a cluster on one day, as it was looked at every hour; without use there is none.

    Day by day there are few rows, but for years: the key is that by which they are looked for.
    """

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="usage_days")
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="usage_days")
    day = models.DateField(db_index=True, help_text="in UTC")
    memory_mib = models.BigIntegerField(default=0)
    disk_mib = models.BigIntegerField(default=0)
    vcpus = models.IntegerField(default=0)
    machines = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["persona", "cluster", "day"], name="usage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.persona} on {self.cluster}, {self.day}"

    @property
    def amounts(self) -> Amounts:
        """For the arithmetic."""
        return Amounts(*(getattr(self, name) for name in DIMENSIONS))


class Request(Limited, KeepsNames):
    """Somebody asks for more, for themselves or for the team they act for: for a quota, or for a machine.

    What they ask for are the limits as they should be, or the size of the machine. Who has `admin` on the cluster
    decides; a machine may be asked for without saying where, which administrators alone see.
    """

    class Kind(models.TextChoices):
        """What is asked for."""

        QUOTA = "quota", _("Quota")
        MACHINE = "machine", _("Machine")

    class State(models.TextChoices):
        """How far it is."""

        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    access = Access(
        noun=_("request"),
        parent="cluster",
        from_parent={"admin": frozenset({"view", "decide"}), "audit": frozenset({"view"})},
        brought={"decide": _("Approve or decline it")},
        refusals={"decide": _("You may not decide on this request (needs admin on the cluster).")},
    )

    former_names = {"asked_by": "former_asker", "decided_by": "former_decider"}

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="requests", help_text="for whom")
    cluster = models.ForeignKey(
        Cluster, null=True, blank=True, on_delete=models.CASCADE, related_name="requests", help_text="empty: any"
    )
    name = models.CharField(max_length=255, blank=True, help_text="of the machine that is asked for")
    reason = models.TextField(max_length=1000)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    former_asker = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="the name of who asked when that account is deleted",
    )
    asked_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    former_decider = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="the name of who decided when that account is deleted",
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=1000, blank=True, help_text="in the words of who decided")
    machine = models.CharField(max_length=400, blank=True, help_text="what was made for it, as CLUSTER/MACHINE")
    made_by = models.UUIDField(
        null=True, blank=True, editable=False, help_text="the newest creation for it, or plan of several"
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "persona", "cluster"],
                condition=models.Q(state="open"),
                name="request_open_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "persona"],
                condition=models.Q(state="open", cluster__isnull=True),
                name="request_open_once_anywhere",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_by", "asked_at"], name="request_asked_by"),
            models.Index(fields=["cluster"], condition=models.Q(state="open"), name="request_open"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def asker(self) -> str:
        """The name of who asked, also when their account is deleted; empty where it was not kept."""
        return self.name_in("asked_by")

    @property
    def decider(self) -> str:
        """The name of who decided, in the same way."""
        return self.name_in("decided_by")

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state == Request.State.OPEN
