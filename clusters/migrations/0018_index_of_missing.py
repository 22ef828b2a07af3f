"""An index of the few rows that are missing, instead of one that nearly all rows share."""

from django.db import migrations, models

from clusters.migrations._indexes import AlterIndex


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0017_exports"),
    ]

    operations = [
        AlterIndex(
            model_name="network",
            name="missing_since",
            field=models.DateTimeField(blank=True, help_text="when Ganeti was first seen without it", null=True),
        ),
        AlterIndex(
            model_name="node",
            name="missing_since",
            field=models.DateTimeField(blank=True, help_text="when Ganeti was first seen without it", null=True),
        ),
        AlterIndex(
            model_name="nodegroup",
            name="missing_since",
            field=models.DateTimeField(blank=True, help_text="when Ganeti was first seen without it", null=True),
        ),
        migrations.AddIndex(
            model_name="network",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)),
                fields=["missing_since", "id"],
                name="network_missing",
            ),
        ),
        migrations.AddIndex(
            model_name="node",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)),
                fields=["missing_since", "id"],
                name="node_missing",
            ),
        ),
        migrations.AddIndex(
            model_name="nodegroup",
            index=models.Index(
                condition=models.Q(("missing_since__isnull", False)),
                fields=["missing_since", "id"],
                name="group_missing",
            ),
        ),
    ]
