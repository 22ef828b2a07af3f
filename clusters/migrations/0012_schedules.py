"""What every update writes goes into a row of its own.

The columns stay in the cluster's table for the release before, which goes on reading and writing them while it still
runs; this one knows them no more, and the release after may take them away.
"""

import django.db.models.deletion
from django.db import migrations, models

MOVED = (
    *("next_sync_at", "sync_wanted_at", "sync_queued_at", "attempted_at", "failures", "leased_until", "lease_holder"),
    *("follow_queued_at", "follow_leased_until", "synced_at", "live_at", "live_failed_at", "configs_read_at"),
    *("operating_systems_at", "host_tried_at"),
)


def carry_over(apps, schema_editor):
    clusters, schedules = apps.get_model("clusters", "Cluster"), apps.get_model("clusters", "Schedule")
    for values in clusters.objects.values("pk", *MOVED):
        schedules.objects.create(cluster_id=values.pop("pk"), **values)


def carry_back(apps, schema_editor):
    clusters, schedules = apps.get_model("clusters", "Cluster"), apps.get_model("clusters", "Schedule")
    for values in schedules.objects.values("cluster_id", *MOVED):
        clusters.objects.filter(pk=values.pop("cluster_id")).update(**values)


class Migration(migrations.Migration):
    dependencies = [("clusters", "0011_keys_of_operations")]
    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                (
                    "cluster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="schedule",
                        serialize=False,
                        to="clusters.cluster",
                    ),
                ),
                (
                    "next_sync_at",
                    models.DateTimeField(blank=True, db_index=True, help_text="empty: at once", null=True),
                ),
                (
                    "sync_wanted_at",
                    models.DateTimeField(blank=True, help_text="somebody asked for an update at this time", null=True),
                ),
                (
                    "sync_queued_at",
                    models.DateTimeField(blank=True, help_text="an update was handed to the workers", null=True),
                ),
                (
                    "attempted_at",
                    models.DateTimeField(blank=True, help_text="when the last update began", null=True),
                ),
                ("failures", models.PositiveIntegerField(default=0, help_text="updates failed in a row")),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("lease_holder", models.CharField(blank=True, max_length=64)),
                ("follow_queued_at", models.DateTimeField(blank=True, null=True)),
                (
                    "follow_leased_until",
                    models.DateTimeField(blank=True, help_text="somebody follows its jobs", null=True),
                ),
                (
                    "synced_at",
                    models.DateTimeField(blank=True, help_text="end of the last complete update", null=True),
                ),
                (
                    "live_at",
                    models.DateTimeField(
                        blank=True, help_text="when live state (status, memory) was last read", null=True
                    ),
                ),
                ("live_failed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "configs_read_at",
                    models.DateTimeField(blank=True, help_text="last reading of all configuration", null=True),
                ),
                ("operating_systems_at", models.DateTimeField(blank=True, null=True)),
                (
                    "host_tried_at",
                    models.DateTimeField(blank=True, help_text="when the configured host was last tried", null=True),
                ),
            ],
        ),
        migrations.RunPython(carry_over, carry_back),
        migrations.AlterField(
            model_name="cluster",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="updates failed in a row"),
        ),
        migrations.AlterField(
            model_name="cluster",
            name="lease_holder",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField(model_name="cluster", name=name) for name in MOVED],
        ),
    ]
