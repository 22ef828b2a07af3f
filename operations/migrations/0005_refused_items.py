"""Items of plans that would be refused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0004_batches_beyond_quotas"),
    ]

    operations = [
        migrations.AlterField(
            model_name="batchitem",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("will", "will be done"),
                    ("skipped", "will be skipped"),
                    ("denied", "not allowed"),
                    ("refused", "would be refused"),
                ],
                max_length=10,
            ),
        ),
    ]
