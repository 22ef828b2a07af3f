"""One event for each entry that is there, so that the journal begins with what it knows, and what is open stays in view.

How it went step by step was not kept. The sentences are those of the day of this migration, so that later ones may
change; whoever goes back loses the events and keeps the entries.
"""

import json
from datetime import UTC

from django.db import migrations

BATCH = 1000
SENTENCES = {
    "vm.start": ("Started %(object)s", "Start of %(object)s"),
    "vm.shutdown": ("Shut down %(object)s", "Shutdown of %(object)s"),
    "vm.shutdown-now": ("Forced %(object)s off", "Forcing off of %(object)s"),
    "vm.reboot": ("Rebooted %(object)s", "Reboot of %(object)s"),
    "vm.console": ("Opened the console of %(object)s", "Console of %(object)s"),
    "job.cancel": ("Cancelled %(object)s", "Cancelling of %(object)s"),
    "job.clear": ("Cleared the failure of %(object)s", "Clearing the failure of %(object)s"),
    "cluster.refresh": ("Requested an update of %(object)s", "Request to update %(object)s"),
    "cluster.add": ("Added cluster %(object)s", "Adding cluster %(object)s"),
    "cluster.edit": ("Edited cluster %(object)s", "Editing of cluster %(object)s"),
    "cluster.use-address": (
        "Took over the address at which cluster %(object)s answers",
        "Change of the address of cluster %(object)s",
    ),
    "cluster.remove": ("Removed cluster %(object)s", "Removal of cluster %(object)s"),
    "vm.forget": ("Forgot %(object)s", "Forgetting %(object)s"),
    "node.forget": ("Forgot node %(object)s", "Forgetting node %(object)s"),
    "grant": ("Gave %(verbs)s on %(object)s to %(who)s", "Grant of %(verbs)s on %(object)s to %(who)s"),
    "revoke": (
        "Revoked %(verbs)s on %(object)s from %(who)s",
        "Revocation of %(verbs)s on %(object)s from %(who)s",
    ),
    "person.change-password": ("Changed the password of %(object)s", "Password change of %(object)s"),
}
OTHER = ("%(verb)s on %(object)s", "%(verb)s on %(object)s")
BECAME = {
    "submitting": "%(what)s begun",
    "submitted": "%(what)s accepted by Ganeti",
    "unknown": "%(what)s: no answer",
    "failed": "%(what)s failed",
    "canceled": "%(what)s cancelled",
    "refused": "%(what)s refused",
    "not_submitted": "%(what)s never reached the cluster",
    "lost": "%(what)s: Ganeti has forgotten the job",
}


def tell(apps, schema_editor):
    entries, event = apps.get_model("objectlog", "Entry").objects, apps.get_model("objectlog", "Event")
    told = []
    for entry in entries.order_by("pk").iterator(chunk_size=BATCH):
        told.append(event(**describe(entry)))
        if len(told) == BATCH:
            event.objects.bulk_create(told)
            told.clear()
    event.objects.bulk_create(told)


def describe(entry):
    """The columns of the one event of an entry."""
    verb = entry.verb if entry.verb in SENTENCES else entry.verb.rpartition(".")[2]
    done, thing = SENTENCES.get(verb, OTHER)
    params = entry.params if isinstance(entry.params, dict) else {}
    values = {**params, "object": entry.target_name, "verb": entry.verb}
    sentence = choose(done, values)
    if entry.outcome not in ("done", "succeeded"):
        became = BECAME.get(entry.outcome, f"%(what)s: {entry.outcome}")  # one of a release that came later, gone back
        sentence = {"message": became, "values": {"what": choose(thing, values)}}
    at = entry.finished_at or entry.created_at
    fields = {
        "actor_name": entry.actor_name,
        "persona_name": entry.persona_name,
        "verb": entry.verb,
        "outcome": entry.outcome,
        "target_kind": entry.target_kind,
        "target_pk": entry.target_pk,
        "target_name": entry.target_name,
        "cluster_pk": entry.cluster_pk,
        "cluster_name": entry.cluster_name,
        "entry_uuid": str(entry.uuid),
        "said": "\n".join(filter(None, [read(sentence), entry.message])),
    }
    text = {
        **fields,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor_pk": entry.actor_id,
        "via": entry.via,
        "target_uuid": entry.target_uuid,
        "sentence": sentence,
        "changes": [],
        "words": entry.message,
        "job_ids": entry.job_ids,
        "told_later": True,
        "version": 1,
    }
    written = json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**fields, "at": at, "actor_id": entry.actor_id, "text": written}


def choose(message, values):
    named = {name: values.get(name, "") for name in ("object", "verb", "verbs", "who") if f"%({name})s" in message}
    return {"message": message, "values": named}


def read(value):
    if isinstance(value, dict) and "message" in value:
        return value["message"] % {name: read(each) for name, each in value["values"].items()}
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class Migration(migrations.Migration):
    dependencies = [("objectlog", "0005_events")]
    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
