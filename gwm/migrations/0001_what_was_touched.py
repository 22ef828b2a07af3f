from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Touched",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(help_text="what was changed, as gwm.live.watched names it", max_length=400)),
                (
                    "xact",
                    models.BigIntegerField(
                        db_index=True,
                        default=0,
                        help_text="PostgreSQL's number of the transaction; 0 where commits come one by one",
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
