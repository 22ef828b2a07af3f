from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0023_effort_of_updates"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="follow_calls",
            field=models.BigIntegerField(db_default=0, default=0, help_text="calls of all who followed its jobs"),
        ),
        migrations.AddField(
            model_name="schedule",
            name="follow_failures",
            field=models.JSONField(blank=True, help_text="how many failed, by the kind of error", null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="follow_seconds",
            field=models.FloatField(db_default=0.0, default=0.0, help_text="how long they took"),
        ),
        migrations.AddField(
            model_name="schedule",
            name="operation_calls",
            field=models.BigIntegerField(db_default=0, default=0, help_text="calls of all operations"),
        ),
        migrations.AddField(
            model_name="schedule",
            name="operation_failures",
            field=models.JSONField(blank=True, help_text="how many failed, by the kind of error", null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="operation_seconds",
            field=models.FloatField(db_default=0.0, default=0.0, help_text="how long they took"),
        ),
    ]
