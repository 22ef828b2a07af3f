"""What of machines was changed past this program, and whose they are by their tag in Ganeti."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0016_changed_since")]

    operations = [
        migrations.AddField(
            model_name="virtualmachine",
            name="drift",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="what was changed elsewhere: the values before, by field",
            ),
        ),
        migrations.AddField(
            model_name="virtualmachine",
            name="drift_since",
            field=models.DateTimeField(blank=True, help_text="when the first of these changes was seen", null=True),
        ),
        migrations.AddField(
            model_name="virtualmachine",
            name="owner_tag",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="whose it is by its tag in Ganeti: a user, or @team",
                max_length=128,
            ),
        ),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(condition=models.Q(drift_since__isnull=False), fields=["name", "id"], name="vm_drifted"),
        ),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                condition=models.Q(owner__isnull=True, missing_since__isnull=True),
                fields=["name", "id"],
                name="vm_unowned",
            ),
        ),
    ]
