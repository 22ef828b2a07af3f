"""Clusters list the exports that their nodes keep: a new table."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0016_drift_of_nodes"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="exports_at",
            field=models.DateTimeField(blank=True, help_text="when exports were last asked for; empty: due", null=True),
        ),
        migrations.CreateModel(
            name="ExportList",
            fields=[
                (
                    "cluster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="export_list",
                        serialize=False,
                        to="clusters.cluster",
                    ),
                ),
                ("read_at", models.DateTimeField(blank=True, help_text="when Ganeti last told", null=True)),
                ("exports", models.JSONField(blank=True, default=list, help_text="[node, name] of each, by name")),
                ("error", models.TextField(blank=True, help_text="why it can't be read")),
            ],
        ),
    ]
