"""Machines that somebody sees one by one are counted and sorted in an index, without their long rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0022_auditors_of_templates")]

    operations = [
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                fields=[
                    "id",
                    "cluster",
                    "status",
                    "missing_since",
                    "busy_entry",
                    "memory_mib",
                    "disk_mib",
                    "vcpus",
                    "name",
                ],
                name="vm_by_key",
            ),
        ),
    ]
