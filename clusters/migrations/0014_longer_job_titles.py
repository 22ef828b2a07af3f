from django.db import migrations, models


class Migration(migrations.Migration):
    """A title says what it is made of as well, so that it can be read in any language."""

    dependencies = [("clusters", "0013_job_results")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="title",
            field=models.TextField(blank=True, help_text="in words: what the job does to what"),
        ),
    ]
