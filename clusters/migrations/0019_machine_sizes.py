"""Clusters know sizes of machines that their admins named. The release before goes on without them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0018_index_of_missing"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="machine_sizes",
            field=models.JSONField(
                blank=True, null=True, help_text="sizes for its machines: {name, vcpus, memory_mib, disk_mib} each"
            ),
        ),
    ]
