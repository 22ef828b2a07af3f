"""What accounts need beside the person: mails that wait to be sent."""

from django.db import models
from django.utils import timezone

from permissions.models import User
from quotas.models import Request


class Letter(models.Model):
    """A mail that is to be sent. What it says, its link included, is written when it is sent, and never kept.

    Whether anybody has the address is looked up then, too, where it is not known whom the mail is for: the page that
    asks takes as long for everybody.
    """

    class Purpose(models.TextChoices):
        """What it is for."""

        RESET = "reset"
        INVITE = "invite"
        CONFIRM = "confirm"
        CHANGED = "changed"
        REGISTER = "register"
        ASKED = "asked"
        DECIDED = "decided"
        CREDENTIAL = "password"
        FACTORS = "factors"

    purpose = models.CharField(max_length=20, choices=Purpose)
    address = models.CharField(max_length=254, help_text="the email address as it was typed")
    person = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    asked = models.ForeignKey(
        Request, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="the request it tells of"
    )
    asked_from = models.CharField(max_length=45, blank=True, help_text="the network address of who asked for it")
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
