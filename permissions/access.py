"""What a protected model declares about itself. `permissions.policy` is the only reader.

`verbs` are what can be granted, with a sentence for the page that grants them; `brought` says the same of what only
comes with a grant elsewhere. `refusals` are the whole sentences for
who lacks a verb, so that each can be translated: "You may not start or stop this machine (needs power)." `implies` says
which other verbs a grant brings along. `parent` is the path to the object whose grants count here too, `from_parent`
what each of them gives. Any verb held on an object lets one see it (`view`); `view` alone is never granted. `kind` is
what roles call the model; `owner` and `tags` name its foreign key and its rows of tags, where a role may be limited to
some of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from objectlog.words import told

VIEW = "view"
# What somebody holds on a team by being in it; nobody grants it.
MEMBER = "member"
# Of every kind alike.
_SEEING = {VIEW: gettext_lazy("See it")}
_UNSEEN = {VIEW: gettext_lazy("You may not see this: you hold no right on it.")}


@dataclass(frozen=True)
class Related:
    """Rights that come from objects which this one touches: a job is visible with the machines it works on.

    `model` is a label as in a foreign key. `through` names the reverse relation whose rows carry `kind` and the key of
    the object, `target_pk`; empty, this row itself carries them. `gives` says what each verb held on the related object
    gives here. `needs_all` are verbs that one must hold on everything that is touched, not on one thing of several.
    `needs_tie` are verbs of the parent that count only where something touched is known by its key.
    """

    model: str
    kind: str
    gives: Mapping[str, frozenset[str]]
    through: str = ""
    needs_all: frozenset[str] = frozenset()
    needs_tie: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Access:
    """Declaration of a protected model, as class attribute `access`."""

    kind: str = ""
    verbs: Mapping[str, str | Promise] = field(default_factory=dict)
    brought: Mapping[str, str | Promise] = field(default_factory=dict)
    implies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    parent: str = ""
    from_parent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    related: Related | None = None
    noun: str | Promise = field(default_factory=lambda: gettext_lazy("object"))
    refusals: Mapping[str, str | Promise] = field(default_factory=dict)
    owner: str = ""
    tags: str = ""
    to_members: frozenset[str] = frozenset()  # of a team: what being a member gives

    @cached_property
    def every(self) -> frozenset[str]:
        """All verbs that anybody can hold on such an object."""
        given = [*self.from_parent.values(), *(self.related.gives.values() if self.related else ())]
        return frozenset(self.verbs).union({VIEW}, self.to_members, *given)

    def says(self, verb: str) -> str:
        """What `verb` allows, in words."""
        return told(self.verbs.get(verb) or self.brought.get(verb) or _SEEING[verb])

    def refuse(self, verb: str) -> str:
        """The sentence for who lacks `verb`."""
        refusal = self.refusals.get(verb) or _UNSEEN.get(verb)
        return told(refusal) if refusal else _("You may not do this (needs %s).") % verb

    def granting(self, verb: str) -> frozenset[str]:
        """Verbs whose grant on the object itself allows `verb`."""
        member = frozenset({MEMBER} if verb in self.to_members else ())
        if verb == VIEW:
            return frozenset(self.verbs) | member
        return member | {v for v in self.verbs if v == verb or verb in self.implies.get(v, frozenset())}

    def granting_from_parent(self, verb: str) -> frozenset[str]:
        """Verbs whose grant on the parent allows `verb` here."""
        return frozenset(v for v, given in self.from_parent.items() if verb in given or (verb == VIEW and given))

    def granting_from_related(self, verb: str) -> frozenset[str]:
        """Verbs whose grant on a related object allows `verb` here."""
        if self.related is None:
            return frozenset()
        return frozenset(v for v, given in self.related.gives.items() if verb in given)
