"""For the migrations that tie the objects of jobs to their rows: by name and time, where just one row can be meant."""

from typing import Any

_BATCH = 500


def tie_targets(apps: Any, kind: str, model: Any) -> None:
    """Set key and uuid of the targets of one kind."""
    targets = apps.get_model("clusters", "JobTarget").objects
    named: dict[tuple[int, str], list[Any]] = {}
    for row in model.objects.values_list("cluster_id", "name", "pk", "uuid", "ctime", "missing_since"):
        named.setdefault((row[0], row[1]), []).append(row)
    changed: list[Any] = []
    untied = targets.filter(kind=kind, target_pk=None).select_related("job").order_by("pk")
    for target in untied.only("cluster_id", "name", "job__received_at", "job__ended_at").iterator(_BATCH):
        meant = [row for row in named.get((target.cluster_id, target.name), []) if _may_mean(target.job, row)]
        if len(meant) == 1:
            target.target_pk, target.uuid = meant[0][2], meant[0][3]
            changed.append(target)
        if len(changed) >= _BATCH:
            targets.bulk_update(changed, ["target_pk", "uuid"])
            changed = []
    targets.bulk_update(changed, ["target_pk", "uuid"])


def _may_mean(job: Any, row: Any) -> bool:
    """Whether the row was there while the job was under way."""
    ctime, missing_since = row[4], row[5]
    is_too_new = ctime is not None and job.ended_at is not None and ctime > job.ended_at.timestamp()
    is_too_old = missing_since is not None and job.received_at is not None and missing_since < job.received_at
    return not is_too_new and not is_too_old


def untie_targets(apps: Any, kinds: list[str]) -> None:
    """The way back: names alone."""
    apps.get_model("clusters", "JobTarget").objects.filter(kind__in=kinds).update(target_pk=None, uuid="")
