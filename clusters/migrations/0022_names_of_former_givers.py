from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0021_index_of_ended_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="clustergroupgrant",
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
            model_name="clusterusergrant",
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
