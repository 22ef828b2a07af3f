"""The pieces of which the form of a new machine is made."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clusters.catalogue import BACKEND, of_hypervisor
from clusters.models import Cluster
from virtualmachines.forms.pieces import (
    DisksPiece,
    HypervisorPiece,
    NicsPiece,
    OptionsPiece,
    ParameterPiece,
    Piece,
    PlacementPiece,
    SourcePiece,
    SystemPiece,
    TagsPiece,
    TemplatePiece,
    typed_of,
)
from virtualmachines.forms.pieces.piece import Given, Typed
from virtualmachines.forms.pieces.size import SIZE, NamePiece, SizePiece, std_of
from virtualmachines.forms.sizes import line_of
from virtualmachines.operations.sizing import read_sizes
from virtualmachines.rules import Facts
from virtualmachines.spec import VMSpec


class MachinePieces:
    """What is asked of a machine on a cluster, as far as what was typed decides it.

    `own`: a template, whose parameters have a field whatever the cluster knows.
    """

    def __init__(self, given: Given, *, cluster: Cluster, facts: Facts, is_admin: bool, own: VMSpec) -> None:
        self.hypervisor = str(given.get("hypervisor") or facts.defaults.hypervisor)
        self.sizes = {line_of(size): size for size in read_sizes(cluster)}
        self.placement = PlacementPiece(sorted(facts.policies), sorted(facts.nodes), bool(facts.allocator))
        release, backend = facts.release, facts.defaults.beparams
        template = str(given.get("disk_template") or facts.defaults.disk_template)
        of_export = bool(given.get("source.node"))
        unsaid = _("As in the export") if of_export else ""
        std = (
            {}
            if of_export
            else std_of(facts, str(given.get("placement.group") or ""), str(given.get("placement.primary") or ""))
        )
        if size := self.sizes.get(str(given.get("size") or "")):
            std = dict(zip(("vcpus", "maxmem", "disk_mib"), size.figures, strict=True))
        networks = {each.name: each for each in facts.networks.values() if each.groups}
        hvparams = facts.defaults.hvparams_of(self.hypervisor, str(given.get("os") or ""))
        known = own.hvparams if own.hypervisor in ("", self.hypervisor) else {}
        self.hv = ParameterPiece(
            "hvparams", of_hypervisor(self.hypervisor), hvparams, release, is_admin, known, unsaid=unsaid
        )
        self.be = ParameterPiece(
            "beparams", BACKEND, backend, release, is_admin, own.beparams, without=SIZE, unsaid=unsaid
        )
        self.all: list[Piece] = [
            NamePiece(),
            self.be,
            SourcePiece(),
            SizePiece("beparams", BACKEND, backend, release, is_admin, only=SIZE, std=std, unsaid=unsaid),
            SystemPiece(cluster.operating_systems, of_export),
            TemplatePiece(facts.templates),
            DisksPiece(release, is_admin, template, std.get("disk_mib", 0)),
            NicsPiece(release, is_admin, facts.defaults.nic, networks),
            self.placement,
            HypervisorPiece(facts.hypervisors, unsaid),
            self.hv,
            OptionsPiece(of_export),
            TagsPiece(),
        ]

    def typed(self, spec: VMSpec) -> Typed:
        """What would have to be typed for a machine, as far as there are fields for it."""
        return typed_of(self.all, spec)
