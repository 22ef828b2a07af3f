"""Make a machine.

Its row is made before anything is sent and is the reservation: it holds the name, counts in its owner's quota, and is
shown as being created. What Ganeti then makes is tied to it (virtualmachines.sync.reserved). What was refused leaves no
row; what failed leaves one that says so, from which one can try again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from clusters.models import Cluster
from clusters.operations.ganeti import GanetiOperation
from objectlog.changes import Change
from objectlog.models import Entry, Outcome
from objectlog.services import Target
from objectlog.words import gettext as _
from objectlog.words import joined, mib
from operations.contract import Ask, Claims, Invalid, Submission
from permissions.models import Persona
from permissions.policy import may_act_for, verbs_on
from permissions.services import grant, persona_of
from quotas.amounts import UNLIMITED, Amounts
from quotas.selectors import has_limits, limits_of
from rapi.client import RapiClient
from rapi.shapes.fields import listing, mapping, whole
from virtualmachines.asked import answer_asked, claim_asked
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.owning import tag_of
from virtualmachines.operations.quota import judge_quota, require_quota
from virtualmachines.rules import Facts, judge_creation
from virtualmachines.rules.macs import judge_macs
from virtualmachines.rules.names import explain_name
from virtualmachines.spec import SECRETS, Defaults, VMSpec, creation_of, spec_as_data

#: in the journal, beside the spec: the names of what is kept nowhere, by path
UNTOLD = "untold"
_CDROMS = ("cdrom_image_path", "cdrom2_image_path")


@dataclass(frozen=True)
class CreateParams:
    """The machine, whose it is (None: as whom one acts), what is kept of it here alone, the number of the request that
    it is made for, and the plan of several for it."""

    spec: VMSpec = field(default_factory=lambda: VMSpec(""))
    owner: Persona | None = None
    notes: str = ""
    is_protected: bool = False
    asked: str = ""
    plan: UUID | None = None


class Create(GanetiOperation[Cluster, CreateParams]):
    """Its target is the cluster; the journal's entry is about the machine. A check is about the cluster."""

    kind = "vm"
    asked_of = "cluster"
    verb = "create"
    label = gettext_lazy("Create")
    doing = gettext_lazy("creating")
    noun = gettext_lazy("A creation")
    needs = "create_vm"
    icon = "plus"
    has_own_page = True
    takes_quota = True
    can_check = True
    params_type = CreateParams

    def cluster_of(self, target: Any) -> Cluster:
        """The target's own, once it is made."""
        return target if isinstance(target, Cluster) else target.cluster

    def meets_limits(self, targets: QuerySet[Cluster]) -> bool:
        return has_limits(targets)

    def rows(self) -> QuerySet[Cluster]:
        return Cluster.objects.order_by("slug")

    def target_of(self, target: Any) -> Target:
        about = super().target_of(target)
        return replace(about, kind="cluster") if isinstance(target, Cluster) else about

    def obstacle(self, target: Cluster) -> str | None:
        if not target.enabled_hypervisors:
            return _("Nothing is known of %s yet. Wait until it has been read for the first time.") % target
        return None

    def check(self, ask: Ask[Cluster, CreateParams]) -> None:
        cluster, spec = ask.target, ask.params.spec
        if faults := faults_of(ask, Facts.of(cluster)):
            raise Invalid(faults)
        owner = owner_of(ask)
        if not (ask.dry_run or ask.actor.may_exceed) and limits_of(owner, cluster) != UNLIMITED:
            _require_sizes(spec)
        judge_quota(ask.actor, owner, cluster, amounts_of(spec, cluster))

    def changes(self, ask: Ask[Cluster, CreateParams]) -> list[Change]:
        return list(_describe(completed(ask.params.spec, ask.target), owner_of(ask), ask.target))

    def claim(self, ask: Ask[Cluster, CreateParams], entry: UUID) -> Claims:
        cluster, owner = ask.target, owner_of(ask)
        if ask.params.asked:
            claim_asked(ask.actor.user, ask.params.asked, ask.params.plan or entry)
        spec = completed(ask.params.spec, cluster)
        require_quota(ask.actor, owner, cluster, amounts_of(spec, cluster))
        never_made(cluster).filter(name=spec.name).delete()
        vm = VirtualMachine.objects.create(
            cluster=cluster,
            owner=owner,
            notes=ask.params.notes,
            is_protected=ask.params.is_protected,
            search_text=f"{spec.name} {spec.os}".lower().strip(),
            **_columns_of(spec, cluster),
        )
        whom = owner.user if owner.user is not None else owner.group
        if whom is not None:
            grant(["admin"], whom, vm, by=ask.actor.user)
        return Claims(made=vm)

    def submit(self, client: RapiClient, ask: Ask[Cluster, CreateParams], reason: str) -> Submission:
        spec, defaults = completed(ask.params.spec, ask.target), Defaults.of(ask.target.info)
        is_reading = ask.dry_run and spec.source is not None  # of an export, whose tags it tells where none are said
        if (tag := tag_of(owner_of(ask))) and not is_reading:
            spec = replace(spec, tags=spec.tags | {tag})
        return Submission([client.create_instance(creation_of(spec, defaults), reason=reason, dry_run=ask.dry_run)])

    def is_shown_by(self, target: Any) -> bool:
        return bool(target.uuid)

    def succeeded(self, entry: Entry) -> None:
        """One that was given up and made after all is there again; a request for it is answered."""
        VirtualMachine.objects.filter(pk__in=[entry.target_pk], uuid="").update(missing_since=None)
        answer_asked(entry)

    def failed(self, entry: Entry) -> None:
        """What Ganeti made all the same stays as it is; what it made and took back was never made."""
        rows = VirtualMachine.objects.filter(pk__in=[entry.target_pk])
        if entry.outcome == Outcome.REFUSED:
            rows.filter(uuid="").delete()
            return
        rows.filter(uuid="", missing_since=None).update(missing_since=timezone.now())
        rows.exclude(missing_since=None).update(uuid="")

    def journal_params(self, params: CreateParams) -> dict[str, Any]:
        """Enough to fill the form again; no secrets."""
        owner = params.owner.name if params.owner is not None else ""
        return {
            "name": params.spec.name,
            "spec": spec_as_data(params.spec),
            "owner": f"@{owner}" if params.owner is not None and params.owner.group_id is not None else owner,
            "notes": params.notes,
            "is_protected": params.is_protected,
            **({"asked": params.asked} if params.asked else {}),  # the release before knows nothing of it
            **({"plan": str(params.plan)} if params.plan is not None else {}),
            **({UNTOLD: untold} if (untold := _names_of_secrets(params.spec)) else {}),
        }


def _names_of_secrets(spec: VMSpec) -> dict[str, list[str]]:
    return {path: sorted(named) for path in sorted(SECRETS) if (named := getattr(spec, path))}


def untold_of(kept: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of a creation or a change in the journal, the names of the parameters whose values are kept nowhere, by path."""
    return {path: [str(each) for each in listing(names)] for path, names in mapping(kept.get(UNTOLD)).items()}


def never_made(cluster: Cluster) -> QuerySet[VirtualMachine]:
    """Rows of machines whose creation failed."""
    return VirtualMachine.objects.filter(cluster=cluster, uuid="", missing_since__isnull=False)


def owner_of(ask: Ask[Cluster, CreateParams]) -> Persona:
    """Whose it will be."""
    return ask.params.owner or ask.actor.persona or persona_of(ask.actor.user)


def faults_of(ask: Ask[Cluster, CreateParams], facts: Facts, held: frozenset[str] | None = None) -> dict[str, str]:
    """Everything that is wrong with the machine, by path in the spec; quotas are judged apart.

    `held`: what the actor may do on the cluster, where it was just read.
    """
    faults = faults_but_name(ask, facts, held)
    if words := explain_name(ask.params.spec.name, ask.target.pk):
        faults["name"] = words
    return faults


def faults_but_name(ask: Ask[Cluster, CreateParams], facts: Facts, held: frozenset[str] | None) -> dict[str, str]:
    """The same of the machine, whatever it is called."""
    cluster = ask.target
    held = verbs_on(ask.actor.user, cluster) if held is None else held
    spec = completed(ask.params.spec, cluster)
    faults = judge_creation(spec, facts, is_admin="admin" in held, may_export="export" in held)
    for path, words in judge_macs(spec.nics, cluster.pk):
        faults.setdefault(path, words)
    if words := _explain_owner(ask, held):
        faults["owner"] = words
    return faults


def _require_sizes(spec: VMSpec) -> None:
    """What a quota counts is not left to an export: what that holds is known to Ganeti alone. Raises Invalid."""
    if spec.source is None:
        return
    words = _("Say it: the owner has a quota here, and what the export holds is not known before.")
    open_ones = [f"beparams.{name}" for name in ("vcpus", "maxmem") if name not in spec.beparams]
    if open_ones := [*open_ones, *([] if spec.disks else ["disks"])]:
        raise Invalid(dict.fromkeys(open_ones, words))


def _explain_owner(ask: Ask[Cluster, CreateParams], held: frozenset[str]) -> str:
    """Who administers the cluster creates for anybody; others for those for whom they act."""
    owner = owner_of(ask)
    if "admin" in held or may_act_for(ask.actor.user, owner):
        return ""
    return _("You may not act for %s.") % owner


def completed(spec: VMSpec, cluster: Cluster) -> VMSpec:
    """With what follows of what is said: a CD-ROM is on the IDE bus, and what is not installed is not started."""
    defaults = Defaults.of(cluster.info)
    hvparams = dict(spec.hvparams)
    in_force = defaults.hvparams_of(spec.hypervisor or defaults.hypervisor, spec.os)
    if any(hvparams.get(name) for name in _CDROMS) and "cdrom_disk_type" in in_force:
        hvparams.setdefault("cdrom_disk_type", "ide")
    options = replace(spec.options, start=spec.options.start and not spec.options.no_install)
    return replace(spec, hvparams=hvparams, options=options)


def amounts_of(spec: VMSpec, cluster: Cluster) -> Amounts:
    """What it will use, as quotas count it: one that is not started holds its disks alone."""
    columns = _columns_of(spec, cluster)
    runs = settings.GWM_QUOTAS_COUNT_STOPPED or columns["admin_state"] == "up"
    return Amounts(
        memory_mib=columns["memory_mib"] if runs else 0,
        disk_mib=columns["disk_mib"],
        vcpus=columns["vcpus"] if runs else 0,
        machines=1,
    )


def _columns_of(spec: VMSpec, cluster: Cluster) -> dict[str, Any]:
    """What is known of it before it is there."""
    defaults = Defaults.of(cluster.info)
    own = spec.trimmed(defaults)
    beparams: dict[str, Any] = {**defaults.beparams, **own.beparams}
    memory = whole(beparams.get("maxmem")) or 0
    return {
        "name": spec.name,
        "admin_state": "up" if spec.options.start and not spec.options.no_install else "down",
        "hypervisor": own.hypervisor,
        "os": own.os,
        "disk_template": own.disk_template,
        "vcpus": whole(beparams.get("vcpus")) or 0,
        "memory_mib": memory,
        "memory_min_mib": whole(beparams.get("minmem")) or memory,
        "disk_mib": sum(disk.size_mib for disk in own.disks),
    }


def _describe(spec: VMSpec, owner: Persona, cluster: Cluster) -> Iterator[Change]:
    """What it will be, for confirmation and journal."""
    columns = _columns_of(spec, cluster)
    yield Change("name", gettext_noop("name"), None, spec.name)
    yield Change("owner", gettext_noop("owner"), None, owner.name)
    if spec.source is not None:
        export = spec.source.path or spec.name
        yield Change("source", gettext_noop("made from an export"), None, f"{export} ({spec.source.node})")
    yield Change("os", gettext_noop("OS"), None, spec.os)
    yield Change("hypervisor", gettext_noop("hypervisor"), None, columns["hypervisor"])
    yield Change("beparams.vcpus", gettext_noop("virtual CPUs"), None, str(columns["vcpus"]))
    yield Change("beparams.maxmem", gettext_noop("memory"), None, mib(columns["memory_mib"]))
    yield Change("disk_template", gettext_noop("kind of disks"), None, columns["disk_template"])
    sizes = joined(", ", (mib(disk.size_mib) for disk in spec.disks))
    yield Change("disks", gettext_noop("disks"), None, sizes)
    places = ", ".join(nic.network or nic.link or nic.mode or "auto" for nic in spec.nics)
    yield Change("nics", gettext_noop("network cards"), None, places)
