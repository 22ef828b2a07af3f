"""Tie to their machines the objects of jobs that were known by name, and give entries the uuid of their machine."""

from django.db import migrations
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from clusters.migrations._tying import tie_targets, untie_targets


def tie(apps, schema_editor):
    model = apps.get_model("virtualmachines", "VirtualMachine")
    tie_targets(apps, "instance", model)
    uuid = Coalesce(Subquery(model.objects.filter(pk=OuterRef("target_pk")).values("uuid")[:1]), Value(""))
    apps.get_model("objectlog", "Entry").objects.filter(target_kind="vm").update(target_uuid=uuid)


def untie(apps, schema_editor):
    untie_targets(apps, ["instance"])


class Migration(migrations.Migration):
    dependencies = [
        ("virtualmachines", "0004_keys_of_targets"),
        ("clusters", "0008_tie_targets"),
        ("objectlog", "0003_keys_of_targets"),
    ]

    operations = [migrations.RunPython(tie, untie)]
