from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("virtualmachines", "0023_index_by_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="templategroupgrant",
            name="former_giver",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the name of a giver whose account is deleted",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="templateusergrant",
            name="former_giver",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the name of a giver whose account is deleted",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="vmgroupgrant",
            name="former_giver",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the name of a giver whose account is deleted",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="vmusergrant",
            name="former_giver",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="the name of a giver whose account is deleted",
                max_length=150,
            ),
        ),
    ]
