"""Whether a machine is protected from deletion."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("virtualmachines", "0012_text_of_machines")]

    operations = [
        migrations.AddField(
            "virtualmachine",
            "is_protected",
            models.BooleanField(
                db_default=False, default=False, help_text="whether it may not be deleted or reinstalled here"
            ),
        ),
    ]
