"""Rows for tests, made the short way. What they have in common is here, what a test is about stands in the test."""

import socket
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from clusters.models import Cluster, Job, JobTarget, Network, Node, NodeGroup, Schedule
from objectlog.models import Via
from objectlog.services import Target, begin
from operations.models import Batch
from people.tokens import digest_of, make_secret
from permissions.models import SshKey, Token, User
from permissions.services import persona_of
from quotas.models import Request
from tests.fixtures.numbering import next_number
from virtualmachines.models import MachineTemplate, VirtualMachine

# What `make_cluster` takes for the row of the updates.
SCHEDULED = frozenset(field.name for field in Schedule._meta.get_fields())


def make_user(name: str = "", *groups: Group, **fields: Any) -> User:
    """A person without any right."""
    user = User.objects.create_user(username=name or f"user{next_number()}", password=None, **fields)
    user.groups.add(*groups)
    return user


# The public key of the first example of RFC 8032, section 7.1.
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
FINGERPRINT = "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"


def make_key(person: User, comment: str = "laptop") -> SshKey:
    """An SSH key of theirs; the same for everybody."""
    kind, body = ED25519.split()
    return SshKey.objects.create(person=person, kind=kind, body=body, comment=comment, fingerprint=FINGERPRINT)


def make_token(person: User, name: str = "hook", secret: str = "", on: Cluster | None = None) -> Token:
    """For the keys of everything, or of a cluster, for a day."""
    return Token.objects.create(
        person=person,
        name=name,
        digest=digest_of(secret or make_secret()),
        scope_kind="cluster" if on else "",
        scope_pk=on.pk if on else None,
        scope_name=str(on or "everything"),
        expires_at=timezone.now() + timedelta(days=1),
    )


def make_request(person: User, on: Cluster | None, **fields: Any) -> Request:
    """Somebody asks for a larger quota."""
    given = {"kind": Request.Kind.QUOTA, "vcpus": 8, "reason": "for tests", "asked_by": person}
    return Request.objects.create(persona=persona_of(person), cluster=on, **{**given, **fields})


def make_admin(name: str = "root") -> User:
    """A superuser."""
    return make_user(name, is_superuser=True, is_staff=True)


def make_cluster(slug: str = "", **fields: Any) -> Cluster:
    """A reachable cluster with credentials; nothing answers at its address."""
    number = next_number()
    values: dict[str, Any] = {
        "slug": slug or f"c{number}",
        "host": "127.0.0.1",
        "port": 1,
        "username": "gwm",
        "password": "secret",
        "tls_fingerprint": ":".join(["00"] * 32),
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "synced_at": timezone.now(),
        "live_at": timezone.now(),
    }
    values |= fields
    of_schedule = {name: values.pop(name) for name in list(values) if name in SCHEDULED}
    cluster = Cluster.objects.create(**values)
    Schedule.objects.filter(pk=cluster.pk).update(**of_schedule)
    cluster.schedule.refresh_from_db()
    return cluster


def make_node(cluster: Cluster, name: str = "", **fields: Any) -> Node:
    """A node that answers."""
    number = next_number()
    values: dict[str, Any] = {
        "name": name or f"node{number}.example.org",
        "uuid": f"10000000-0000-4000-8000-{number:012d}",
        "role": "R",
        "primary_ip": "192.0.2.1",
        "memory_total_mib": 65536,
        "memory_free_mib": 32768,
        "disk_total_mib": 1048576,
        "disk_free_mib": 524288,
        "cpu_total": 16,
    }
    return Node.objects.create(cluster=cluster, **{**values, **fields})


def make_vm(cluster: Cluster, name: str = "", **fields: Any) -> VirtualMachine:
    """A running KVM machine with VNC on its node's addresses."""
    number = next_number()
    name = name or f"vm{number}.example.org"
    values: dict[str, Any] = {
        "uuid": f"20000000-0000-4000-8000-{number:012d}",
        "status": "running",
        "admin_state": "up",
        "hypervisor": "kvm",
        "os": "debian+12",
        "vcpus": 2,
        "memory_mib": 4096,
        "memory_min_mib": 4096,
        "disk_mib": 40960,
        "disk_template": "drbd",
        "network_port": 11000 + number % 1000,
        "search_text": f"{name} {fields.get('os', 'debian+12')}".lower(),
        "raw": {"hvparams": {"vnc_bind_address": "0.0.0.0"}, "beparams": {"vcpus": 2}},
    }
    return VirtualMachine.objects.create(cluster=cluster, name=name, **{**values, **fields})


def make_template(name: str, cluster: Cluster | None = None, **fields: Any) -> MachineTemplate:
    """A template of a small machine."""
    values: dict[str, Any] = {
        "spec": {"name": "", "os": "debian+12", "beparams": {"vcpus": 1}, "disks": [{"size_mib": 10240}], "nics": [{}]},
        "os": "debian+12",
        "vcpus": 1,
        "disk_mib": 10240,
    }
    return MachineTemplate.objects.create(name=name, cluster=cluster, **{**values, **fields})


def make_job(cluster: Cluster, *targets: tuple[str, str], **fields: Any) -> Job:
    """A running job that works on `targets` (kind, name), tied to the row of that name if there is just one."""
    number = next_number()
    values: dict[str, Any] = {
        "ganeti_id": number,
        "status": "running",
        "title": f"Job {number}",
        "received_at": timezone.now(),
    }
    job = Job.objects.create(cluster=cluster, **{**values, **fields})
    for kind, name in targets:
        tie = find_row(cluster, kind, name)
        JobTarget.objects.create(
            job=job,
            cluster=cluster,
            kind=kind,
            name=name,
            target_pk=tie.pk if tie is not None else None,
            uuid=tie.uuid if tie is not None else "",
        )
    return job


def reserve_vm(cluster: Cluster, name: str, **fields: Any) -> VirtualMachine:
    """A row that waits for its machine, which a job of ours has been making for a minute."""
    vm = make_vm(cluster, name, **{"uuid": "", "status": "", "raw": {}, **fields})
    about = Target("vm", vm.pk, name, cluster.slug, cluster.pk)
    values: dict[str, Any] = {"actor_id": None, "actor_name": "", "persona_name": "", "via": Via.WEB, "params": {}}
    entry = begin(**values, verb="vm.create", target=about)
    make_job(cluster, entry=entry, started_at=timezone.now() - timedelta(minutes=1))
    return vm


def make_batch(actor: User, **fields: Any) -> Batch:
    """A batch that has begun, of no items."""
    values: dict[str, Any] = {"operation": "vm.shutdown", "state": "running"}
    return Batch.objects.create(actor=actor, actor_name=actor.username, **{**values, **fields})


def find_row(cluster: Cluster, kind: str, name: str) -> Any:
    """The row that is there under this name; None if there is none, or more than one."""
    if kind == "cluster":
        return cluster
    model: Any = {"instance": VirtualMachine, "node": Node, "group": NodeGroup, "network": Network}[kind]
    found = list(model.objects.filter(cluster=cluster, name=name, missing_since=None)[:2])
    return found[0] if len(found) == 1 else None


_TAKEN: list[socket.socket] = []


def deaf_port() -> int:
    """A port on which nothing listens, and nothing will: it is taken until the tests have ended."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _TAKEN.append(taken)
    return int(taken.getsockname()[1])
