"""What may be said of a machine, whoever says it: each rule names the field of the spec, and what is wrong with it.

Fields are paths in the spec: name, hvparams.boot_order, disks.0.size_mib, nics.1.ip, placement.primary.
"""

from dataclasses import replace

from django.conf import settings

from virtualmachines.rules.devices import judge_disks, judge_nics
from virtualmachines.rules.facts import Facts
from virtualmachines.rules.parameters import judge_parameters
from virtualmachines.rules.placing import judge_options, judge_placement, judge_source, judge_system
from virtualmachines.rules.sizes import Fault, judge_sizes
from virtualmachines.spec import VMSpec

__all__ = ["Facts", "Fault", "judge_creation"]


def judge_creation(spec: VMSpec, facts: Facts, *, is_admin: bool, may_export: bool) -> dict[str, str]:
    """Everything that is wrong with a machine to be made, but its name; the first sentence for each field."""
    own = spec.trimmed(facts.defaults)
    faults: dict[str, str] = {}
    for field, words in (
        *judge_system(own, facts),
        *judge_placement(own, facts),
        *judge_options(own, facts, is_admin=is_admin),
        *judge_source(own, facts, is_admin=is_admin, may_export=may_export),
        *judge_disks(own, facts, settings.GWM_MOST_DISKS, is_admin=is_admin),
        *judge_nics(replace(own, nics=spec.nics), facts, settings.GWM_MOST_NICS, is_admin=is_admin),
        *judge_parameters(own, facts, is_admin=is_admin),
        *judge_sizes(own, facts),
    ):
        faults.setdefault(field, words)
    return faults
