from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("permissions", "0011_auditors_of_teams"),
    ]

    operations = [
        migrations.AddField(
            model_name="rolegrant",
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
            model_name="teamgroupgrant",
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
            model_name="teamusergrant",
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
