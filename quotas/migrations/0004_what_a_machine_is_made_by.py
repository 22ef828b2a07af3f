"""By which creation what was asked for is made, so that there is one at a time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("quotas", "0003_when_quotas_were_set"),
    ]

    operations = [
        migrations.AddField(
            model_name="request",
            name="made_by",
            field=models.UUIDField(
                blank=True, editable=False, help_text="the newest creation for it, or plan of several", null=True
            ),
        ),
    ]
