"""What nodes and jobs can be asked for, in the language of `ui.filtering`."""

import json
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clusters.selectors import JOB_GROUPS
from ui.filtering import Language, of_choices, of_moment, of_number, of_size, of_text, of_timestamp

NODE_GROUPS: dict[str, tuple[Any, Q]] = {
    "online": (_("Online"), Q(offline=False, answers=True, missing_since__isnull=True)),
    "drained": (_("Drained"), Q(drained=True, missing_since__isnull=True)),
    "offline": (_("Offline"), Q(offline=True, missing_since__isnull=True)),
    "unresponsive": (_("Unresponsive"), Q(offline=False, answers=False, missing_since__isnull=True)),
    "missing": (_("Missing"), Q(missing_since__isnull=False)),
}


def as_tag(value: str) -> str:
    """How one whole tag stands in a list of tags that is kept as JSON."""
    return json.dumps(value)


_ROLES = {"master": "M", "candidate": "C", "regular": "R", "drained": "D", "offline": "O"}

NODES = Language(
    keys={
        "name": of_text(
            _("name"), "name:node1", lambda value: Q(name__icontains=value), equals=lambda value: Q(name__iexact=value)
        ),
        "cluster": of_text(_("cluster"), "cluster:prod", lambda value: Q(cluster__slug=value.lower())),
        "status": of_choices(
            _("state"), "status:drained", {name: condition for name, (__, condition) in NODE_GROUPS.items()}
        ),
        "group": of_text(_("group"), "group:default", lambda value: Q(group__name__iexact=value)),
        "role": of_choices(_("role"), "role:candidate", {name: Q(role=letter) for name, letter in _ROLES.items()}),
        "ip": of_text(
            _("address"),
            "ip:192.0.2.",
            lambda value: Q(primary_ip__startswith=value) | Q(secondary_ip__startswith=value),
        ),
        "tag": of_text(_("tag"), "tag:rack-a", lambda value: Q(tags__icontains=as_tag(value))),
        "machines": of_number(_("machines"), "machines>20", "primary_count"),
        "cpus": of_number(_("CPUs"), "cpus>=16", "cpu_total"),
        "mem": of_size(_("memory"), "mem>64G", "memory_total_mib"),
        "free": of_size(_("free memory"), "free<8G", "memory_free_mib"),
        "disk": of_size(_("disk"), "disk>1T", "disk_total_mib"),
        "uuid": of_text(_("beginning of the uuid"), "uuid:3f2a", lambda value: Q(uuid__istartswith=value)),
        "created": of_timestamp(_("when it was added to Ganeti"), "created>2026-11-01", "ctime"),
    },
    word=lambda value: Q(name__icontains=value) | Q(primary_ip__startswith=value) | Q(group__name__iexact=value),
    says=_("name, address, group, or cluster: status: mem: free:"),
)


def _told(value: str) -> Q:
    """Words of the title as far as it is told to the person."""
    return Q(title__icontains=value, is_partial=False) | Q(seen_name__icontains=value, is_partial=True)


def _word(value: str) -> Q:
    return _told(value) | (Q(ganeti_id=int(value)) if value.isdecimal() else Q())


def _in_state(word: str) -> Q:
    return Q(status=word.lower())


JOBS = Language(
    keys={
        "number": of_number(_("number"), "number>1200", "ganeti_id"),
        "cluster": of_text(_("cluster"), "cluster:prod", lambda value: Q(cluster__slug=value.lower())),
        "status": of_choices(
            _("state"), "status:error", {name: condition for name, (__, condition) in JOB_GROUPS.items()}, _in_state
        ),
        "title": of_text(_("words of the job"), 'title:"shut down"', _told),
        "by": of_text(_("person"), "by:alice", lambda value: Q(entry__actor_name__iexact=value)),
        "since": of_moment(_("when it was sent"), "since>2026-11-01", "received_at"),
        "ended": of_moment(_("when it ended"), "ended:today", "ended_at"),
    },
    word=_word,
    says=_("number, words of the job, or status: by: since:"),
    aliases={"actor": "by"},
)
