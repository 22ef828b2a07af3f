"""What of a running machine's settings waits for its restart."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0013_protection")]

    operations = [
        migrations.AddField(
            model_name="virtualmachine",
            name="waiting",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="what waits for a restart: with which value the guest runs, by the path of the setting",
            ),
        ),
        migrations.AddField(
            model_name="virtualmachine",
            name="waiting_since",
            field=models.DateTimeField(
                blank=True, help_text="when what waits was last changed, by Ganeti's clock", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                condition=models.Q(waiting_since__isnull=False), fields=["name", "id"], name="vm_waiting"
            ),
        ),
    ]
