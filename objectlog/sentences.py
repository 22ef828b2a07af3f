"""From a verb and an outcome to a sentence: one table, so that a page, the API and the command line say the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

from objectlog.messages import Message
from objectlog.models import Outcome
from objectlog.words import is_quoted

_NAMES = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Sentence:
    """What is said of a verb: `done` when it has been done, `thing` as part of a sentence about what became of it.

    Placeholders are `object`, and the names of parameters that the journal keeps.
    """

    done: str
    thing: str


SENTENCES: dict[str, Sentence] = {
    "vm.start": Sentence(_("Started %(object)s"), _("Start of %(object)s")),
    "vm.shutdown": Sentence(_("Shut down %(object)s"), _("Shutdown of %(object)s")),
    "vm.shutdown-now": Sentence(_("Forced %(object)s off"), _("Forcing off of %(object)s")),
    "vm.reboot": Sentence(_("Rebooted %(object)s"), _("Reboot of %(object)s")),
    "vm.apply-settings": Sentence(_("Restarted %(object)s with its new settings"), _("Restart of %(object)s")),
    "vm.rename": Sentence(_("Renamed %(object)s to %(new_name)s"), _("Rename of %(object)s to %(new_name)s")),
    "vm.migrate": Sentence(_("Migrated %(object)s"), _("Migration of %(object)s")),
    "vm.failover": Sentence(_("Failed %(object)s over"), _("Failover of %(object)s")),
    "vm.cleanup-migration": Sentence(
        _("Cleaned up after a migration of %(object)s"), _("Cleaning up after a migration of %(object)s")
    ),
    "vm.create": Sentence(_("Created %(name)s"), _("Creation of %(name)s")),
    "template.create": Sentence(_("Created template %(object)s"), _("Creation of template %(name)s")),
    "template.edit": Sentence(_("Changed template %(object)s"), _("Change of template %(object)s")),
    "template.copy": Sentence(_("Copied a template to %(object)s"), _("Copy of template %(object)s")),
    "template.delete": Sentence(_("Deleted template %(object)s"), _("Deletion of template %(object)s")),
    "vm.replace-disks": Sentence(_("Replaced disks of %(object)s"), _("Replacement of disks of %(object)s")),
    "vm.export": Sentence(_("Exported %(object)s to %(target_node)s"), _("Export of %(object)s to %(target_node)s")),
    "vm.export-and-remove": Sentence(
        _("Exported %(object)s to %(target_node)s and removed it"),
        _("Export and removal of %(object)s to %(target_node)s"),
    ),
    "vm.modify": Sentence(_("Changed %(object)s"), _("Change of %(object)s")),
    "vm.grow-disk": Sentence(_("Grew a disk of %(object)s"), _("Growth of a disk of %(object)s")),
    "vm.detach-disk": Sentence(_("Detached a disk of %(object)s"), _("Detaching of a disk of %(object)s")),
    "vm.attach-disk": Sentence(
        _("Attached disk %(uuid)s to %(object)s"), _("Attaching of disk %(uuid)s to %(object)s")
    ),
    "vm.convert-disks": Sentence(
        _("Converted the disks of %(object)s to %(disk_template)s"),
        _("Conversion of the disks of %(object)s to %(disk_template)s"),
    ),
    "vm.delete": Sentence(_("Deleted %(object)s"), _("Deletion of %(object)s")),
    "vm.reinstall": Sentence(_("Reinstalled %(object)s"), _("Reinstallation of %(object)s")),
    "vm.activate-disks": Sentence(_("Activated the disks of %(object)s"), _("Activation of the disks of %(object)s")),
    "vm.deactivate-disks": Sentence(
        _("Deactivated the disks of %(object)s"), _("Deactivation of the disks of %(object)s")
    ),
    "vm.recreate-disks": Sentence(_("Recreated disks of %(object)s"), _("Recreation of disks of %(object)s")),
    "vm.set-offline": Sentence(_("Set %(object)s offline"), _("Setting %(object)s offline")),
    "vm.set-online": Sentence(_("Set %(object)s online"), _("Setting %(object)s online")),
    "vm.add-tags": Sentence(_("Added tags to %(object)s"), _("Adding tags to %(object)s")),
    "vm.remove-tags": Sentence(_("Removed tags of %(object)s"), _("Removing tags of %(object)s")),
    "vm.set-owner": Sentence(_("Changed the owner of %(object)s"), _("Change of the owner of %(object)s")),
    "vm.write-owner-tag": Sentence(_("Wrote the owner tag of %(object)s"), _("Writing of the owner tag of %(object)s")),
    "vm.adopt": Sentence(
        _("Gave %(object)s the owner that its tag names"), _("Giving %(object)s the owner that its tag names")
    ),
    "accept": Sentence(
        _("Accepted what was changed of %(object)s elsewhere"), _("Acceptance of what was changed of %(object)s")
    ),
    "vm.notes": Sentence(_("Changed the notes on %(object)s"), _("Change of the notes on %(object)s")),
    "vm.protect": Sentence(_("Protected %(object)s from deletion"), _("Protection of %(object)s")),
    "vm.unprotect": Sentence(_("Removed the protection of %(object)s"), _("Removal of the protection of %(object)s")),
    "vm.insert-cd": Sentence(
        _("Inserted CD %(image)s into %(object)s"), _("Insertion of CD %(image)s into %(object)s")
    ),
    "vm.eject-cd": Sentence(_("Ejected the CD of %(object)s"), _("Ejection of the CD of %(object)s")),
    "cluster.sizes": Sentence(_("Set the machine sizes of %(object)s"), _("Change of the machine sizes of %(object)s")),
    "cluster.add-tags": Sentence(_("Added tags to %(object)s"), _("Adding tags to %(object)s")),
    "cluster.remove-tags": Sentence(_("Removed tags of %(object)s"), _("Removing tags of %(object)s")),
    "cluster.cd-images": Sentence(_("Set the CD images of %(object)s"), _("Change of the CD images of %(object)s")),
    "vm.picture": Sentence(_("Looked at the screen of %(object)s"), _("Picture of the screen of %(object)s")),
    "vm.console": Sentence(_("Opened the console of %(object)s"), _("Console of %(object)s")),
    "job.cancel": Sentence(_("Cancelled %(object)s"), _("Cancelling of %(object)s")),
    "job.clear": Sentence(_("Cleared the failure of %(object)s"), _("Clearing the failure of %(object)s")),
    "cluster.refresh": Sentence(_("Requested an update of %(object)s"), _("Request to update %(object)s")),
    "cluster.add": Sentence(_("Added cluster %(object)s"), _("Adding cluster %(object)s")),
    "cluster.edit": Sentence(_("Edited cluster %(object)s"), _("Editing of cluster %(object)s")),
    "cluster.use-address": Sentence(
        _("Took over the address at which cluster %(object)s answers"), _("Change of the address of cluster %(object)s")
    ),
    "cluster.remove": Sentence(_("Removed cluster %(object)s"), _("Removal of cluster %(object)s")),
    "vm.discard": Sentence(
        _("Removed the failed attempt to create %(object)s"), _("Removal of the failed attempt to create %(object)s")
    ),
    "vm.forget": Sentence(_("Forgot %(object)s"), _("Forgetting %(object)s")),
    "node.forget": Sentence(_("Forgot node %(object)s"), _("Forgetting node %(object)s")),
    "grant": Sentence(_("Gave %(verbs)s on %(object)s to %(who)s"), _("Grant of %(verbs)s on %(object)s to %(who)s")),
    "revoke": Sentence(
        _("Revoked %(verbs)s on %(object)s from %(who)s"), _("Revocation of %(verbs)s on %(object)s from %(who)s")
    ),
    "set-rights": Sentence(
        _("Changed the rights of %(who)s on %(object)s"), _("Change of the rights of %(who)s on %(object)s")
    ),
    "grant-role": Sentence(
        _("Gave role %(role)s on %(object)s to %(who)s"), _("Grant of role %(role)s on %(object)s to %(who)s")
    ),
    "revoke-role": Sentence(
        _("Took role %(role)s on %(object)s from %(who)s"), _("Revocation of role %(role)s on %(object)s from %(who)s")
    ),
    "role.create": Sentence(_("Created role %(object)s"), _("Creation of role %(name)s")),
    "role.edit": Sentence(_("Changed role %(object)s"), _("Change of role %(object)s")),
    "role.delete": Sentence(_("Deleted role %(object)s"), _("Deletion of role %(object)s")),
    "role.set": Sentence(_("Set what role %(name)s holds: %(verbs)s"), _("Change of role %(name)s")),
    "cluster.set-default-quota": Sentence(
        _("Set the default quota on %(object)s"), _("Change of the default quota on %(object)s")
    ),
    "cluster.set-quota": Sentence(
        _("Set the quota of %(who)s on %(object)s"), _("Change of the quota of %(who)s on %(object)s")
    ),
    "cluster.remove-quota": Sentence(
        _("Removed the quota of %(who)s on %(object)s"), _("Removal of the quota of %(who)s on %(object)s")
    ),
    "request.ask-quota": Sentence(_("Asked for quota (request %(object)s)"), _("Request for quota")),
    "request.ask-machine": Sentence(_("Asked for a machine (request %(object)s)"), _("Request for a machine")),
    "request.approve": Sentence(_("Approved request %(object)s"), _("Approval of request %(object)s")),
    "request.decline": Sentence(_("Declined request %(object)s"), _("Decline of request %(object)s")),
    "request.withdraw": Sentence(_("Withdrew request %(object)s"), _("Withdrawal of request %(object)s")),
    "team.create": Sentence(_("Created team %(object)s"), _("Creation of team %(name)s")),
    "team.rename": Sentence(_("Renamed team %(object)s to %(name)s"), _("Rename of team %(object)s to %(name)s")),
    "team.delete": Sentence(_("Deleted team %(object)s"), _("Deletion of team %(object)s")),
    "team.add-member": Sentence(_("Added %(who)s to %(object)s"), _("Adding %(who)s to %(object)s")),
    "team.remove-member": Sentence(_("Removed %(who)s from %(object)s"), _("Removal of %(who)s from %(object)s")),
    "team.add-admin": Sentence(_("Made %(who)s an admin of %(object)s"), _("Making %(who)s an admin of %(object)s")),
    "team.remove-admin": Sentence(
        _("Made %(who)s an ordinary member of %(object)s"), _("Making %(who)s an ordinary member of %(object)s")
    ),
    "person.change-password": Sentence(_("Changed the password of %(object)s"), _("Password change of %(object)s")),
    "person.reset-password": Sentence(
        _("Set a new password of %(object)s by a mailed link, from %(address)s"),
        _("Password reset of %(object)s from %(address)s"),
    ),
    "person.send-reset": Sentence(
        _("Mailed a link for a new password to %(object)s, asked for from %(address)s"),
        _("Mailing a link for a new password to %(object)s"),
    ),
    "person.connect": Sentence(
        _("Can sign in as %(object)s with %(provider)s"), _("Connecting %(provider)s to %(object)s")
    ),
    "person.disconnect": Sentence(
        _("Can sign in as %(object)s with %(provider)s no more"), _("Disconnecting %(provider)s from %(object)s")
    ),
    "person.register": Sentence(
        _("Registered as %(object)s with %(email)s, from %(address)s"), _("Registration of %(object)s")
    ),
    "person.view-as": Sentence(_("Began to view pages as %(object)s"), _("Viewing pages as %(object)s")),
    "person.stop-viewing": Sentence(_("Ended viewing pages as %(object)s"), _("End of viewing pages as %(object)s")),
    "person.use-email": Sentence(
        _("Confirmed a new email address of %(object)s"), _("Confirmation of a new email address of %(object)s")
    ),
    "person.add-app": Sentence(_("Set up an authenticator app"), _("Setting up an authenticator app")),
    "person.remove-app": Sentence(_("Removed their authenticator app"), _("Removal of an authenticator app")),
    "person.add-passkey": Sentence(_("Added passkey %(name)s"), _("Adding passkey %(name)s")),
    "person.remove-passkey": Sentence(_("Removed passkey %(name)s"), _("Removal of passkey %(name)s")),
    "person.make-recovery-codes": Sentence(_("Made new recovery codes"), _("Making of recovery codes")),
    "person.use-recovery-code": Sentence(
        _("Used a recovery code to sign in from %(address)s"), _("Use of a recovery code from %(address)s")
    ),
    "person.reset-factors": Sentence(
        _("Removed all second factors of %(object)s, and ended all sessions"),
        _("Removal of all second factors of %(object)s"),
    ),
    "person.end-session": Sentence(_("Ended sessions of their own"), _("Ending of sessions")),
    "person.invite": Sentence(_("Had an invitation mailed to %(object)s"), _("Invitation of %(object)s by mail")),
    "person.rescue": Sentence(_("Made %(object)s an administrator on the server"), _("Rescue of %(object)s")),
    "person.begin-check": Sentence(
        _("Made account %(object)s on the server, to check whether the installation works"),
        _("Check with account %(object)s"),
    ),
    "person.end-check": Sentence(
        _("Deleted account %(object)s, with which the installation was checked"),
        _("End of the check with account %(object)s"),
    ),
    "key.add": Sentence(_("Added SSH key %(object)s"), _("Adding SSH key %(object)s")),
    "key.edit": Sentence(_("Changed the comment of SSH key %(object)s"), _("Change of SSH key %(object)s")),
    "key.remove": Sentence(_("Removed SSH key %(object)s"), _("Removal of SSH key %(object)s")),
    "token.add": Sentence(_("Made token %(object)s"), _("Making of token %(object)s")),
    "token.withdraw": Sentence(_("Withdrew token %(object)s"), _("Withdrawal of token %(object)s")),
    "person.add": Sentence(_("Added account %(name)s"), _("Adding account %(name)s")),
    "person.edit": Sentence(_("Edited account %(object)s"), _("Editing of account %(object)s")),
    "person.set-password": Sentence(
        _("Set the password of %(object)s, and ended all sessions"), _("Setting of the password of %(object)s")
    ),
    "person.sign-out": Sentence(_("Signed %(object)s out everywhere"), _("Signing %(object)s out everywhere")),
    "person.activate": Sentence(_("Activated account %(object)s"), _("Activation of account %(object)s")),
    "person.deactivate": Sentence(_("Deactivated account %(object)s"), _("Deactivation of account %(object)s")),
    "person.promote": Sentence(_("Made %(object)s an administrator"), _("Making %(object)s an administrator")),
    "person.demote": Sentence(_("Made %(object)s an ordinary user"), _("Making %(object)s an ordinary user")),
    "person.delete": Sentence(_("Deleted account %(object)s"), _("Deletion of account %(object)s")),
    "person.sign-in": Sentence(_("Signed in from %(address)s"), _("Sign-in as %(object)s from %(address)s")),
    "site.prune-journal": Sentence(
        _("Removed the %(count)s oldest events from the journal, those before %(before)s"), _("Pruning of the journal")
    ),
}
# What a dry run adds to the verb: nothing was done, Ganeti was asked whether it would.
CHECK = ".check"
# A verb of another release of this program.
_OTHER = Sentence(_("%(verb)s on %(object)s"), _("%(verb)s on %(object)s"))

_BECAME: dict[str, str] = {
    Outcome.SUBMITTING: _("%(what)s begun"),
    Outcome.SUBMITTED: _("%(what)s accepted by Ganeti"),
    Outcome.UNKNOWN: _("%(what)s: no answer"),
    Outcome.FAILED: _("%(what)s failed"),
    Outcome.CANCELED: _("%(what)s cancelled"),
    Outcome.REFUSED: _("%(what)s refused"),
    Outcome.NOT_SUBMITTED: _("%(what)s never reached the cluster"),
    Outcome.LOST: _("%(what)s: Ganeti has forgotten the job"),
    Outcome.DENIED: _("%(what)s not allowed"),
    Outcome.TURNED_AWAY: _("%(what)s turned away: the cluster is slow to answer"),
}


_CHECKING = _("Check with Ganeti: %(what)s")
_CHECKED: dict[str, str] = {
    Outcome.UNKNOWN: _("Check with Ganeti: %(what)s: no answer"),
    Outcome.SUCCEEDED: _("Checked, and Ganeti would do it: %(what)s"),
    Outcome.FAILED: _("Checked, and Ganeti would not do it: %(what)s"),
    Outcome.REFUSED: _("Checked, and Ganeti would not do it: %(what)s"),
    Outcome.CANCELED: _("Check cancelled: %(what)s"),
    Outcome.NOT_SUBMITTED: _("Check never reached the cluster: %(what)s"),
    Outcome.LOST: _("Check without an answer: %(what)s"),
    Outcome.DENIED: _("Check not allowed: %(what)s"),
    Outcome.TURNED_AWAY: _("Check turned away, the cluster is slow to answer: %(what)s"),
}


def is_check(verb: str) -> bool:
    """Whether an entry of this verb only asked Ganeti."""
    return verb.endswith(CHECK)


def compose(verb: str, outcome: str, target_name: str, params: Mapping[str, Any], words: str = "") -> Message:
    """The sentence for what became of an operation: what happened, not what was wished. `words`: why, see `Entry`."""
    known = {**params, "object": target_name or Message(_("an unknown name")), "verb": verb}
    if is_check(verb):
        sentence = find_sentence(verb.removesuffix(CHECK)) or _OTHER
        if outcome == Outcome.REFUSED and not is_quoted(words):  # by us: Ganeti was not reached, for instance
            outcome = Outcome.LOST
        return Message(_CHECKED.get(outcome, _CHECKING), {"what": _with(sentence.thing, known)})
    sentence = find_sentence(verb) or _OTHER
    if outcome in (Outcome.DONE, Outcome.SUCCEEDED):
        return _with(sentence.done, known)
    return Message(_BECAME[outcome], {"what": _with(sentence.thing, known)})


def find_sentence(key: str) -> Sentence | None:
    """The sentence for an operation by its key; some are the same for every kind, and stand under the verb alone."""
    return SENTENCES.get(key) or SENTENCES.get(key.rpartition(".")[2])


def _with(text: str, known: Mapping[str, Any]) -> Message:
    """The message with the values that it names."""
    return Message(text, {name: known.get(name) for name in _NAMES.findall(text)})
