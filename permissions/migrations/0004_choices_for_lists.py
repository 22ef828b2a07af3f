from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("permissions", "0003_members_act_for_their_teams")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="list_choices",
            field=models.JSONField(
                blank=True,
                help_text="what they chose for each list: {list: {columns, per_page}}, see ui.tables",
                null=True,
            ),
        ),
    ]
