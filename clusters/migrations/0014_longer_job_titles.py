from django.db import migrations, models
from django.db.models.functions import Length, Substr

LENGTH = 255


def cut(apps, schema_editor):
    """To what the column takes again: MariaDB refuses to, and SQLite leaves what is too long."""
    jobs = apps.get_model("clusters", "Job").objects.using(schema_editor.connection.alias)
    jobs.annotate(length=Length("title")).filter(length__gt=LENGTH).update(title=Substr("title", 1, LENGTH))


class Migration(migrations.Migration):
    """A title says what it is made of as well, so that it can be read in any language."""

    dependencies = [("clusters", "0013_job_results")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="title",
            field=models.TextField(blank=True, help_text="in words: what the job does to what"),
        ),
        migrations.RunPython(migrations.RunPython.noop, cut),
    ]
