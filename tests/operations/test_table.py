"""The table of operations: complete, and the same everywhere."""

import pytest

from clusters.models import Cluster, Job, Node
from clusters.operations import CLUSTER_OPERATIONS, JOB_OPERATIONS, NODE_OPERATIONS
from clusters.operations.base import KIND_IN_GANETI, AnyOperation
from objectlog.sentences import SENTENCES, describe
from operations.table import OPERATIONS
from permissions.access import VIEW
from permissions.policy import access_of
from virtualmachines.forms.actions import FORM_FOR
from virtualmachines.models import VirtualMachine
from virtualmachines.operations import VM_OPERATIONS

MODELS = {"vm": VirtualMachine, "cluster": Cluster, "job": Job, "node": Node}


def test_names_are_unique() -> None:
    """A name is URL, word of the command line and verb of the journal: two of one name would hide one."""
    listed = (*CLUSTER_OPERATIONS, *NODE_OPERATIONS, *JOB_OPERATIONS, *VM_OPERATIONS)
    assert len(OPERATIONS) == len(listed) > 10
    assert {name: operation.name for name, operation in OPERATIONS.items()} == {name: name for name in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_operation_is_complete(operation: AnyOperation) -> None:
    assert operation.label and operation.icon
    assert operation.kind in KIND_IN_GANETI
    access = access_of(MODELS[operation.kind])
    given = {VIEW, *access.verbs}.union(*access.from_parent.values())
    assert operation.needs in given, "nobody but administrators could ever do it"
    assert "web1" in describe(operation.name, "web1")
    if operation.changes_cluster and operation.excludes_others:
        assert operation.doing, "the machine's state says what is being done to it"
    assert operation.__doc__ or operation.question


def test_every_form_belongs_to_an_operation_and_fits_it() -> None:
    for name, form in FORM_FOR.items():
        names = set(form().fields)
        assert names == set(OPERATIONS[name].params_type.__dataclass_fields__)


def test_every_sentence_is_used() -> None:
    others = {"add-cluster", "change-password", "grant", "revoke", "sign-in", "prune-journal"}
    assert set(SENTENCES) == set(OPERATIONS) | others
