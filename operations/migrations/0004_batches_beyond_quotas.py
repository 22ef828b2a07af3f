"""Batches that may go beyond quotas."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0003_steps_on_one_target"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="over_quota",
            field=models.BooleanField(
                db_default=False, default=False, help_text="an administrator said that it may go beyond quotas"
            ),
        ),
    ]
