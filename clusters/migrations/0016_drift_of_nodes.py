"""What of nodes was changed past this program."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clusters", "0015_cd_images")]

    operations = [
        migrations.AddField(
            model_name="node",
            name="drift",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="what was changed elsewhere: the values before, by field",
            ),
        ),
        migrations.AddField(
            model_name="node",
            name="drift_since",
            field=models.DateTimeField(blank=True, help_text="when the first of these changes was seen", null=True),
        ),
        migrations.AddIndex(
            model_name="node",
            index=models.Index(
                condition=models.Q(drift_since__isnull=False), fields=["name", "id"], name="node_drifted"
            ),
        ),
    ]
