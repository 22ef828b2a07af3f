"""People, and the personas as which they act."""

from django.contrib.auth.models import AbstractUser, Group
from django.db import models


class User(AbstractUser):
    """A person who signs in."""


class Persona(models.Model):
    """Somebody who owns machines and has quotas: exactly one of a person and a group.

    Owning is book-keeping: it grants nothing (see `permissions.policy`).
    """

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.CASCADE, related_name="persona")
    group = models.OneToOneField(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="persona")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="persona_is_user_or_group",
                condition=models.Q(user__isnull=True, group__isnull=False)
                | models.Q(user__isnull=False, group__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The user name or the name of the group."""
        if self.user is not None:
            return self.user.username
        return self.group.name if self.group is not None else ""
