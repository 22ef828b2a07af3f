"""Templates of machines, and rights on them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("clusters", "0015_cd_images"),
        ("permissions", "0004_choices_for_lists"),
        ("virtualmachines", "0014_waiting_for_restart"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MachineTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, max_length=255)),
                (
                    "spec",
                    models.JSONField(default=dict, help_text="see virtualmachines.spec.data; without name and secrets"),
                ),
                ("notes", models.TextField(blank=True, help_text="of the machines created from it")),
                ("is_protected", models.BooleanField(default=False, help_text="whether machines created from it are")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("os", models.CharField(blank=True, max_length=255)),
                ("hypervisor", models.CharField(blank=True, max_length=20)),
                ("vcpus", models.IntegerField(blank=True, null=True)),
                ("memory_mib", models.BigIntegerField(blank=True, null=True)),
                ("disk_mib", models.BigIntegerField(default=0)),
                (
                    "cluster",
                    models.ForeignKey(
                        blank=True,
                        help_text="empty: any",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="templates",
                        to="clusters.cluster",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="templates",
                        to="permissions.persona",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "cluster"],
                "permissions": [("admin", "Change and delete it"), ("use", "Create machines from it")],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TemplateGroupGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("granted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        help_text="from then on it gives nothing; empty: it has no end",
                        null=True,
                    ),
                ),
                (
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_grants",
                        to="virtualmachines.machinetemplate",
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="who gave it",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group")),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TemplateUserGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("granted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True,
                        db_index=True,
                        help_text="from then on it gives nothing; empty: it has no end",
                        null=True,
                    ),
                ),
                (
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="user_grants",
                        to="virtualmachines.machinetemplate",
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="who gave it",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("permission", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="machinetemplate",
            constraint=models.UniqueConstraint(fields=("cluster", "name"), name="template_once_on_a_cluster"),
        ),
        migrations.AddConstraint(
            model_name="machinetemplate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cluster__isnull", True)), fields=("name",), name="template_once_for_any"
            ),
        ),
        migrations.AlterUniqueTogether(
            name="templategroupgrant",
            unique_together={("group", "permission", "content_object")},
        ),
        migrations.AlterUniqueTogether(
            name="templateusergrant",
            unique_together={("user", "permission", "content_object")},
        ),
    ]
