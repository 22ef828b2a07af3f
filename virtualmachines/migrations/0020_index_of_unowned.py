"""The machines without owner are counted in their index, without their rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0019_index_of_owners_machines")]

    operations = [
        migrations.RemoveIndex(model_name="virtualmachine", name="vm_unowned"),
        migrations.AddIndex(
            model_name="virtualmachine",
            index=models.Index(
                condition=models.Q(owner__isnull=True, missing_since__isnull=True),
                fields=["name", "id", "cluster", "uuid"],
                name="vm_unowned",
            ),
        ),
    ]
