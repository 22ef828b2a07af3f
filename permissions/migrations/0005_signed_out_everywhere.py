from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("permissions", "0004_choices_for_lists")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sign_outs",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="how often an administrator has ended all their sessions; these are bound to it",
            ),
        ),
    ]
