"""Tie to their rows what was known by its name: entries to clusters; objects of jobs to nodes, groups and networks."""

from django.db import migrations

from clusters.migrations._tying import tie_targets, untie_targets

_KINDS = {"node": "Node", "group": "NodeGroup", "network": "Network"}


def tie(apps, schema_editor):
    entries, targets = apps.get_model("objectlog", "Entry").objects, apps.get_model("clusters", "JobTarget").objects
    for name in _KINDS.values():
        model = apps.get_model("clusters", name)
        for row in model.objects.only("pk", "raw").iterator(500):
            ctime = row.raw.get("ctime") if isinstance(row.raw, dict) else None
            if isinstance(ctime, int | float) and not isinstance(ctime, bool) and abs(ctime) < 2**53:
                model.objects.filter(pk=row.pk).update(ctime=ctime)
    for cluster in apps.get_model("clusters", "Cluster").objects.only("pk", "slug", "uuid"):
        entries.filter(cluster_name=cluster.slug, cluster_pk=None).update(cluster_pk=cluster.pk)
        entries.filter(target_kind="cluster", target_pk=cluster.pk).update(target_uuid=cluster.uuid)
        targets.filter(kind="cluster", cluster=cluster).update(target_pk=cluster.pk, uuid=cluster.uuid)
    for kind, name in _KINDS.items():
        tie_targets(apps, kind, apps.get_model("clusters", name))


def untie(apps, schema_editor):
    untie_targets(apps, ["cluster", *_KINDS])


class Migration(migrations.Migration):
    dependencies = [("clusters", "0007_keys_of_targets"), ("objectlog", "0003_keys_of_targets")]

    operations = [migrations.RunPython(tie, untie)]
