"""What people ask for, and what they used day by day."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0017_exports"),
        ("permissions", "0007_tokens"),
        ("quotas", "0001_quotas_and_claims"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Request",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("memory_mib", models.PositiveBigIntegerField(blank=True, null=True)),
                ("disk_mib", models.PositiveBigIntegerField(blank=True, null=True)),
                ("vcpus", models.PositiveIntegerField(blank=True, null=True)),
                ("machines", models.PositiveIntegerField(blank=True, null=True)),
                ("kind", models.CharField(choices=[("quota", "Quota"), ("machine", "Machine")], max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("approved", "approved"),
                            ("declined", "declined"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(blank=True, help_text="of the machine that is asked for", max_length=255)),
                ("reason", models.TextField(max_length=1000)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, help_text="in the words of who decided", max_length=1000)),
                (
                    "machine",
                    models.CharField(blank=True, help_text="what was made for it, as CLUSTER/MACHINE", max_length=400),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "cluster",
                    models.ForeignKey(
                        blank=True,
                        help_text="empty: any",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requests",
                        to="clusters.cluster",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "persona",
                    models.ForeignKey(
                        help_text="for whom",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requests",
                        to="permissions.persona",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["asked_by", "asked_at"], name="request_asked_by"),
                    models.Index(condition=models.Q(("state", "open")), fields=["cluster"], name="request_open"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("kind", "persona", "cluster"),
                        name="request_open_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("cluster__isnull", True), ("state", "open")),
                        fields=("kind", "persona"),
                        name="request_open_once_anywhere",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(db_index=True, help_text="in UTC")),
                ("memory_mib", models.BigIntegerField(default=0)),
                ("disk_mib", models.BigIntegerField(default=0)),
                ("vcpus", models.IntegerField(default=0)),
                ("machines", models.IntegerField(default=0)),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage_days", to="clusters.cluster"
                    ),
                ),
                (
                    "persona",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage_days", to="permissions.persona"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("persona", "cluster", "day"), name="usage_once_a_day")],
            },
        ),
    ]
