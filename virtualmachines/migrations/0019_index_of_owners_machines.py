"""The machines of an owner, without their rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0019_machine_sizes"),
        ("permissions", "0008_languages_and_zones"),
        ("virtualmachines", "0018_index_of_missing"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(fields=["owner", "cluster", "id"], name="vm_of_owner"),
        ),
    ]
