"""Tags of machines as rows, so that rights and filters can be joined with them."""

from django.db import models

from virtualmachines.models.vm import VirtualMachine


class MachineTag(models.Model):
    """One tag of one machine, as in the machine's column `tags`, which shows them all at once."""

    # No constraint: the release before deletes machines without knowing of these rows, which then mean nothing.
    machine = models.ForeignKey(
        VirtualMachine, on_delete=models.CASCADE, related_name="tag_rows", db_index=False, db_constraint=False
    )
    tag = models.CharField(max_length=128)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["machine", "tag"], name="machinetag_once")]
        indexes = [models.Index(fields=["tag", "machine"], name="machinetag_machines")]

    def __str__(self) -> str:
        return self.tag
