import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("permissions", "0007_tokens")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="in which they read the pages; empty: the browser's",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="by whose clock they read times; empty: the browser's",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="default_persona",
            field=models.ForeignKey(
                blank=True,
                help_text="as whom they act after signing in; empty: themselves",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="permissions.persona",
            ),
        ),
    ]
