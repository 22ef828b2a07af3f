"""Jobs keep what they gave. The release before goes on writing jobs without it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0012_schedules"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="results",
            field=models.JSONField(
                blank=True, db_default=[], default=list, help_text="what each opcode gave, once the job has ended well"
            ),
        ),
    ]
