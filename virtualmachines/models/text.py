"""What words are searched in, apart from the machines' own long rows."""

from django.db import models


class MachineText(models.Model):
    """The text of the machine that has the same key; written by triggers alone, see virtualmachines.search."""

    text = models.TextField()

    def __str__(self) -> str:
        return self.text
