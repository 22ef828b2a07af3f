"""The table of operations: complete, and the same everywhere."""

import pytest

from clusters.operations import CLUSTER_OPERATIONS, JOB_OPERATIONS, NODE_OPERATIONS
from clusters.operations.ganeti import GanetiOperation
from gwm.management.commands.operate import OFFERED
from objectlog.sentences import SENTENCES, find_sentence
from operations.contract import AnyOperation, NoParams, Operation
from operations.table import FORMS, OPERATIONS, register
from permissions.access import VIEW
from permissions.kinds import KINDS
from permissions.policy import SITE_VERBS, access_of
from virtualmachines.operations import VM_OPERATIONS
from virtualmachines.operations.base import VMOperation


def test_keys_are_unique() -> None:
    """A key is word of the command line and verb of the journal: two of one key would hide one."""
    listed = (*CLUSTER_OPERATIONS, *NODE_OPERATIONS, *JOB_OPERATIONS, *VM_OPERATIONS)
    assert len(OPERATIONS) > len(listed) > 10
    assert {key: operation.key for key, operation in OPERATIONS.items()} == {key: key for key in OPERATIONS}
    with pytest.raises(ValueError, match=r"two operations called vm\.start"):
        register(OPERATIONS["vm.start"])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_operation_is_complete(operation: AnyOperation) -> None:
    assert operation.label and operation.icon
    if operation.sends:
        assert KINDS[operation.kind].in_ganeti
    if operation.is_on_site:
        # or it judges by what it is asked for, as a template is for one cluster or any
        assert operation.needs in SITE_VERBS or type(operation).judge is not Operation.judge
    elif operation.kind in ("person", "key", "token", "role") or operation.key == "team.delete":
        ours = ("change_people", "change_teams", "change_roles")
        assert operation.needs in ours, "administrators, and people for their own account"
    else:
        access = access_of(KINDS[operation.target_kind].model)
        given = {VIEW, *access.verbs}.union(*access.from_parent.values())
        assert operation.needs in given, "nobody but administrators could ever do it"
    assert find_sentence(operation.key) is not None
    if operation.sends and operation.locks:
        assert operation.doing, "the machine's state says what is being done to it"
    assert operation.__doc__ or operation.question


def test_the_command_line_offers_every_operation_there_is() -> None:
    assert set(OPERATIONS) - set(OFFERED) == {"vm.console"}, "whose ticket is of no use without a browser"


def test_what_has_parameters_has_a_form() -> None:
    """Without one neither a page, nor the command line, nor a batch could say them."""
    assert {key for key, operation in OPERATIONS.items() if operation.params_type is not NoParams} <= FORMS.keys()


def test_every_form_belongs_to_an_operation_and_fits_it() -> None:
    assert FORMS
    for key, form in FORMS.items():
        taken = set(form().fields) - {"forget_vnc_password", "private"}  # parts of other parameters
        assert taken <= set(OPERATIONS[key].params_type.__dataclass_fields__)


def test_every_sentence_is_used() -> None:
    others = {
        "person.change-password",
        "person.end-session",
        *(f"person.{verb}-{what}" for verb in ("add", "remove") for what in ("app", "passkey")),
        "person.make-recovery-codes",
        "person.use-recovery-code",
        "person.connect",
        "person.register",
        "person.rescue",
        "person.reset-password",
        "person.send-reset",
        "person.sign-in",
        "person.view-as",
        "person.stop-viewing",
        *("person.begin-check", "person.end-check"),
        "site.prune-journal",
        "vm.picture",
        "role.set",  # of releases before, in journals that are kept
    }
    used = {key if key in SENTENCES else key.rpartition(".")[2] for key in OPERATIONS}
    assert set(SENTENCES) == used | others


@pytest.mark.feature("F144")
@pytest.mark.parametrize(
    "operation", [each for each in VM_OPERATIONS if not each.needs_browser], ids=lambda each: each.key
)
def test_whoever_confirms_is_told_what_happens_to_those_who_use_the_machine(operation: AnyOperation) -> None:
    """Said by each, or by few that are alike: a sentence that all inherit would be untrue of one."""
    own = next(base for base in type(operation).__mro__ if "for_users" in vars(base))
    assert own not in (Operation, GanetiOperation, VMOperation)
    assert str(operation.for_users).endswith(".")
