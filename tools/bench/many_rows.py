"""A large site as rows alone: clusters that nobody can reach, their nodes, machines, jobs and journal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from clusters.models import Cluster, Job, JobTarget, Node, NodeGroup, Schedule
from objectlog.models import Outcome, Via
from objectlog.services import Target, begin
from permissions.models import Persona, User
from permissions.services import grant, persona_of
from virtualmachines.counts import fold
from virtualmachines.models import VirtualMachine

NODES = 10
JOBS = 250
ENTRIES = 2000  # of the whole site
OWNERS = 200
STATES = ("running",) * 16 + ("ADMIN_down",) * 3 + ("ERROR_down",)
SYSTEMS = ("debian+12", "image+noble", "fedora+43", "debian+11")

# As large as a KVM machine's record of Ganeti 3.0.
_HVPARAMS = {f"parameter_{number:02}_of_the_hypervisor": f"value {number}" for number in range(86)}
INFO: dict[str, Any] = {
    "architecture": ["64bit", "x86_64"],
    "hvparams": dict.fromkeys(("kvm", "xen-pvm", "xen-hvm", "lxc", "chroot", "fake"), _HVPARAMS),
    "beparams": {"default": {"vcpus": 1, "maxmem": 128, "minmem": 128, "auto_balance": True}},
}


def make_site(*, clusters: int, machines: int, visible: int) -> tuple[User, User]:
    """An administrator who sees all, and somebody who sees `visible` machines, half of them through a group."""
    admin = User.objects.create_superuser("admin")
    user = User.objects.create_user("user")
    group = Group.objects.create(name="web-team")
    user.groups.add(group)
    User.objects.bulk_create([User(username=f"owner{number}") for number in range(OWNERS)])
    Persona.objects.bulk_create([Persona(user=owner) for owner in User.objects.filter(username__startswith="owner")])
    owners = [*list(Persona.objects.order_by("pk")), persona_of(user)]
    for number in range(clusters):
        with transaction.atomic():
            _make_cluster(number, machines // clusters, owners, entries=ENTRIES // clusters)
    keys = list(VirtualMachine.objects.order_by("pk").values_list("pk", flat=True))[:: machines // visible]
    for position, vm in enumerate(VirtualMachine.objects.order_by("pk").filter(pk__in=keys[:visible])):
        grant(["admin" if position % 3 else "power"], user if position % 2 else group, vm)
    fold()  # as beat does every minute
    return admin, user


def _make_cluster(number: int, machines: int, owners: list[Persona], *, entries: int) -> None:
    now = timezone.now()
    cluster = Cluster.objects.create(
        slug=f"cluster{number:02}",
        host="192.0.2.1",
        username="gwm",
        password="secret",  # noqa: S106
        uuid=f"00000000-0000-4000-8000-{number:012d}",
        info=INFO,
        enabled_hypervisors=["kvm"],
        software_version="3.0.2",
        unreachable_since=now if number == 1 else None,
        last_error="No answer within 5 s." if number == 1 else "",
    )
    Schedule.objects.filter(pk=cluster.pk).update(synced_at=now, live_at=now)
    group = NodeGroup.objects.create(cluster=cluster, name="default")
    nodes = Node.objects.bulk_create(
        Node(
            cluster=cluster,
            group=group,
            name=f"node{index}.cluster{number:02}.example.org",
            uuid=f"{number:08d}-0000-4000-8000-{index:012d}",
            role="R",
            primary_ip=f"192.0.2.{index}",
            memory_total_mib=262144,
            memory_free_mib=100000,
            disk_total_mib=4_000_000,
            disk_free_mib=1_000_000,
            cpu_total=64,
            primary_count=machines // NODES,
            raw={"ndparams": {f"parameter{each}": each for each in range(20)}},
        )
        for index in range(NODES)
    )
    vms = VirtualMachine.objects.bulk_create(
        (_machine(cluster, number, index, nodes, owners) for index in range(machines)), batch_size=200
    )
    _make_jobs(cluster, vms)
    for vm in vms[:entries]:
        begin(
            actor_id=None,
            actor_name="somebody",
            persona_name="somebody",
            via=Via.WEB,
            verb="vm.reboot",
            target=Target("vm", vm.pk, vm.name, cluster.slug, cluster.pk, vm.uuid),
            params={},
            outcome=Outcome.SUCCEEDED,
        )


def _machine(cluster: Cluster, number: int, index: int, nodes: list[Node], owners: list[Persona]) -> VirtualMachine:
    name = f"vm{index:04}.cluster{number:02}.example.org"
    system = SYSTEMS[index % len(SYSTEMS)]
    status = STATES[index % len(STATES)]
    address, mac = f"198.51.{number}.{index % 250}", f"aa:00:00:{number:02x}:{index // 256:02x}:{index % 256:02x}"
    tags = ["web", "eu-west"][: index % 3]
    return VirtualMachine(
        cluster=cluster,
        name=name,
        uuid=f"{number:08d}-0000-4000-9000-{index:012d}",
        owner=owners[index % len(owners)] if index % 5 else None,
        admin_state="down" if status == "ADMIN_down" else "up",
        status=status,
        hypervisor="kvm",
        os=system,
        primary_node=nodes[index % len(nodes)],
        secondary_node=nodes[(index + 1) % len(nodes)],
        vcpus=1 + index % 8,
        memory_mib=1024 * (1 + index % 16),
        memory_min_mib=1024,
        disk_mib=20480 + 1024 * (index % 40),
        disk_template="drbd",
        network_port=11000 + index,
        disks=[{"name": "root", "uuid": "", "size_mib": 20480}],
        nics=[{"mac": mac, "ip": address, "mode": "bridged", "link": "br0"}],
        tags=tags,
        search_text=" ".join([name, address, mac, system, *tags]),
        raw={"hvparams": {**_HVPARAMS, "vnc_bind_address": "0.0.0.0"}, "beparams": {"vcpus": 1}, "name": name},  # noqa: S104
    )


def _make_jobs(cluster: Cluster, vms: list[VirtualMachine]) -> None:
    now = timezone.now()
    jobs = Job.objects.bulk_create(
        Job(
            cluster=cluster,
            ganeti_id=number,
            status="running" if number > JOBS - 2 else "error" if number % 50 == 0 else "success",
            title=f"Reboot {vms[number % len(vms)].name}",
            log=[
                [line, 1.7e9, 0, "Something was done to something, and this is what is said of it"]
                for line in range(20)
            ],
            opcodes=[{"OP_ID": "OP_INSTANCE_REBOOT", "instance_name": vms[number % len(vms)].name}],
            opcode_statuses=["success"],
            received_at=now - timedelta(minutes=JOBS - number),
            ended_at=None if number > JOBS - 2 else now - timedelta(minutes=JOBS - number),
        )
        for number in range(1, JOBS + 1)
    )
    JobTarget.objects.bulk_create(
        JobTarget(job=job, cluster=cluster, kind="instance", target_pk=vm.pk, uuid=vm.uuid, name=vm.name)
        for job in jobs
        for vm in [vms[job.ganeti_id % len(vms)]]
    )
