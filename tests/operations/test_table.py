"""The table of operations: complete, and the same everywhere."""

import pytest

from clusters.models import Cluster, Job, Node
from clusters.operations.base import KIND_IN_GANETI, AnyOperation
from gwm.operations import OPERATIONS
from objectlog.sentences import SENTENCES, describe
from permissions.access import VIEW
from permissions.policy import access_of
from virtualmachines.forms.actions import FORM_FOR
from virtualmachines.models import VirtualMachine

MODELS = {"vm": VirtualMachine, "cluster": Cluster, "job": Job, "node": Node}


def test_names_are_unique() -> None:
    from_modules = [name for name, operation in OPERATIONS.items() if operation.name != name]
    assert from_modules == []


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
    others = {"add-cluster", "grant", "revoke"}
    assert set(SENTENCES) == set(OPERATIONS) | others
