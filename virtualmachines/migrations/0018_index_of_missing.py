"""An index of the few rows that are missing, instead of one that nearly all rows share."""

from django.db import migrations, models

from clusters.migrations._indexes import AlterIndex


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0018_index_of_missing"),
        ("permissions", "0007_tokens"),
        ("virtualmachines", "0017_drift_and_owner_tag"),
    ]

    operations = [
        AlterIndex(
            model_name="virtualmachine",
            name="missing_since",
            field=models.DateTimeField(blank=True, help_text="when Ganeti was first seen without it", null=True),
        ),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)), fields=["missing_since", "id"], name="vm_missing"
            ),
        ),
    ]
