"""What an operation is: a small class that says all about one thing that can be done, for every caller alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.utils.functional import Promise

from objectlog.changes import Change
from objectlog.services import Target
from objectlog.words import joined
from operations.groups import Group
from permissions.policy import Allowed, Verdict, can

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import Model, QuerySet

    from objectlog.models import Entry, Via
    from permissions.models import Persona, User

T = TypeVar("T")
P = TypeVar("P")
# Words for people: translated where they are shown, so that a class can hold them (gettext_lazy).
Words = str | Promise


class Forbidden(Exception):
    """The actor lacks the right; the text is the policy's reason."""


class Refusal(Exception):
    """Not now, and why; the text is for the person who asked. Nothing was changed or sent."""


class TurnedAway(Refusal):
    """Too many requests wait for the cluster already."""


class Invalid(Refusal):
    """Parameters that can't be taken: a sentence for each field, "" for what concerns them together."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(joined(" ", errors.values()))
        self.errors = dict(errors)


class Unchanged(Invalid):
    """All is already as it is wanted: nothing is done, and nothing written down."""


class OverQuota(Invalid):
    """It would go beyond a quota `on` a cluster; an administrator may say that it shall all the same."""

    def __init__(self, errors: Mapping[str, str], on: str = "") -> None:
        super().__init__(errors)
        self.on = on


class NotTaken(Exception):
    """The call failed; the text says why. `may_have_run`: it is not known whether it was taken all the same."""

    def __init__(self, words: str, *, may_have_run: bool) -> None:
        super().__init__(words)
        self.may_have_run = may_have_run


@dataclass(frozen=True)
class Actor:
    """Who acts, as which persona, and by which way.

    `over_quota`: an administrator's word that it may go beyond a quota this time; nobody else's counts.
    """

    user: User
    via: Via
    persona: Persona | None = None
    over_quota: bool = False

    @property
    def may_exceed(self) -> bool:
        """Whether quotas do not count for it."""
        return self.over_quota and bool(can(self.user, "exceed_quotas"))


@dataclass(frozen=True)
class NoParams:
    """For operations that need none."""


class Site:
    """What is done to no object that is there yet is done to the site: adding a cluster, for instance."""

    pk = None

    def __str__(self) -> str:
        return "this site"


SITE = Site()


@dataclass(frozen=True)
class Ask(Generic[T, P]):
    """Who wants it done, to what, and how. The target may be a parent: the site, where a cluster is added.

    `dry_run`: Ganeti is only asked whether it would.
    """

    actor: Actor
    target: T
    params: P
    dry_run: bool = False


@dataclass(frozen=True)
class Claims:
    """What an operation has taken for itself. `made`: the row of what it creates, which the entry is about then."""

    made: Model | None = None


@dataclass(frozen=True)
class Submission:
    """What a call to Ganeti gave: the numbers of the jobs it started, or words where there is no job."""

    job_ids: Sequence[int] = ()
    message: str = ""
    cost: tuple[int, float] = (0, 0.0)  # calls, and the seconds that they took


@dataclass(frozen=True)
class Shown:
    """A call to Ganeti for people to read: its first line, its body, and the command that does the same, if any."""

    line: str
    body: str = ""
    command: str = ""


@dataclass(frozen=True)
class Foreseen:
    """What a plan says of a target, or of what several of them come to, beside what is changed."""

    words: str
    is_warning: bool = False


@dataclass(frozen=True)
class Foresight:
    """What becomes of many targets: of each by its key, and of all together."""

    of_each: Mapping[int, Foreseen] = field(default_factory=dict)
    together: Sequence[Foreseen] = ()


@dataclass(frozen=True)
class Detour:
    """The way round an obstacle: what is done before, and after. `label` is its button's, `text` says what happens."""

    label: Words
    text: Words
    before: Sequence[AnyOperation]
    after: Sequence[AnyOperation]

    @property
    def around(self) -> Sequence[AnyOperation]:
        """All but the operation itself."""
        return (*self.before, *self.after)


class Operation(Generic[T, P]):
    """One thing that can be done to a target. A class for each, one instance in the table.

    `asked_of` is the kind of its target where that is not `kind`: a machine is created on a cluster.

    `kind` and `verb` make its key, "vm.reboot": command-line word and journal verb; the verb stands in addresses.
    `needs` is the verb of the policy, `needs_too` are further ones where one does not say it all. `doing` is what the
    target's state says meanwhile, `noun` what it is called then ("A reboot").

    What must hold: `sends`, it talks to a cluster; `needs_reach`, the cluster it is sent to must answer and be
    writable; `needs_target`, the target must be there in Ganeti; `locks`, nothing else may be under way on it, save
    what it `overrules` (keys; the target is then busy with this one). `leaves_job`: a submission that got no answer can
    be found again. `unsigned_opcode`: an opcode of that job, where Ganeti takes no reason with the call: by it, object
    and time it is found then. `can_check`: Ganeti can be asked whether it would, and `submit` heeds `ask.dry_run`.
    `has_own_page`: it is asked for there, not on the page behind every button. `wants_typed_name`: that page has the
    name of the target typed. `label_of_many`: the label with their number in it (%d), where that does not just follow.
    `needs_browser`: what it gives is for a browser. `is_on_site`: its target is the site.
    `then`: what follows by itself on the same target where nothing was sent, each when the one before has succeeded.
    `binds`: what its form takes that ties it to what is there of its target, see `bound_to`.
    `takes_quota`: its `claim` may be more than a quota allows. `for_users`: what it means for the people who use the
    target. `judges_plans`: `check` is asked of each item of a plan, those before it counted: it must cost little for
    one of many, and read once what they share. `group`: where it stands in the menu of the target. `seals`: what its
    form takes sealed, so that a step of a batch may keep it until it is done.
    """

    kind: str
    verb: ClassVar[str]
    label: ClassVar[Words]
    label_of_many: ClassVar[Words] = ""
    needs: str
    needs_too: ClassVar[Sequence[str]] = ()
    doing: ClassVar[Words] = ""
    noun: ClassVar[Words] = ""
    icon: ClassVar[str] = ""
    group: ClassVar[Group] = Group.SETTINGS
    question: ClassVar[Words] = ""
    way_out: ClassVar[Words] = ""
    consequence: ClassVar[Words] = ""
    for_users: ClassVar[Words] = ""
    is_destructive: ClassVar[bool] = False
    takes_quota: ClassVar[bool] = False
    judges_plans: ClassVar[bool] = False
    seals: ClassVar[Sequence[str]] = ()
    binds: ClassVar[Sequence[str]] = ()
    sends: ClassVar[bool] = True
    needs_reach: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    locks: ClassVar[bool] = True
    leaves_job: ClassVar[bool] = True
    unsigned_opcode: ClassVar[str] = ""
    can_check: ClassVar[bool] = False
    has_own_page: bool = False
    needs_browser: ClassVar[bool] = False
    wants_typed_name: ClassVar[bool] = False
    is_on_site: bool = False
    asked_of: ClassVar[str] = ""
    overrules: ClassVar[frozenset[str]] = frozenset()
    then: ClassVar[Sequence[AnyOperation]] = ()
    params_type: ClassVar[type] = NoParams

    @property
    def key(self) -> str:
        """Its name in the table."""
        return f"{self.kind}.{self.verb}"

    @property
    def target_kind(self) -> str:
        """The kind of its target."""
        return self.asked_of or self.kind

    def rows(self) -> QuerySet[Any]:
        """What it can be done to, with what `obstacle` reads: a batch finds its targets here."""
        raise NotImplementedError

    def whole_rows(self) -> QuerySet[Any]:
        """The same with what `check` and `changes` read of many at once."""
        return self.rows()

    def judging_many(self) -> AbstractContextManager[None]:
        """While it lasts many targets are judged: what they share may be read once."""
        return nullcontext()

    def bound_to(self, target: T) -> dict[str, Any]:
        """Parameters, by the names in `binds`, that tie it to what is there of the target now.

        Each item of a plan keeps its own: what is not as it was planned when its turn comes is refused.
        """
        return {}

    def foresee(self, targets: QuerySet[Any], params: Mapping[str, Any]) -> Foresight:
        """What becomes of all of these, in their order, with parameters as the form takes them. In few queries."""
        return Foresight()

    def lane_of(self, target: T) -> str:
        """What shares a limit with the target in batches: for what is sent, its cluster."""
        return ""

    def judge(self, ask: Ask[T, P]) -> Verdict:
        """Ask the policy."""
        target: Any = None if ask.target is SITE else ask.target
        verdicts = (can(ask.actor.user, verb, target) for verb in (self.needs, *self.needs_too))
        return next((verdict for verdict in verdicts if not verdict), Allowed())

    def holds_secrets(self, params: Mapping[str, Any]) -> bool:
        """Whether there is something in its parameters, as its form takes them, that is kept nowhere."""
        return False

    def obstacle(self, target: T) -> str | None:
        """Why not now, as a sentence; None if it can be done. Without parameters and without a query for each row."""
        return None

    def obstacle_for(self, user: User, target: T) -> str | None:
        """Why this person of all can't do it, though they have the right to; None if they can. Without a query."""
        return None

    def ends_by_itself(self, target: T) -> bool:
        """Whether one can just wait until what these say of the target is over: its cluster is away, for instance."""
        return False

    def suits(self, target: T) -> bool:
        """Whether it makes sense for the target at all: what does not is left out, not shown with a reason."""
        return True

    def detour(self, target: T) -> Detour | None:
        """The way round what `obstacle` says of the target, if there is one. Without a query for each row."""
        return None

    def check(self, ask: Ask[T, P]) -> None:
        """All rules on parameters, for page, batch, API and command line alike. Raises Invalid, or Forbidden."""

    def changes(self, ask: Ask[T, P]) -> Sequence[Change]:
        """Before and after, field by field: for the confirmation, the journal and the API."""
        return ()

    def alters(self, ask: Ask[T, P], changes: Sequence[Change]) -> bool:
        """Whether anything is other than before once it is done, whose `changes` are these; else it is not done.

        Of what is sent Ganeti is the judge.
        """
        return True

    def meets_limits(self, targets: QuerySet[Any]) -> bool:
        """Whether there is a quota at all, where these are, that it might exceed."""
        return self.takes_quota

    @property
    def foresees(self) -> bool:
        """Whether it says what becomes of many, before anything is typed too: as its form is filled in."""
        return type(self).foresee is not Operation.foresee

    @property
    def tells_changes(self) -> bool:
        """Whether it says what would be other than before."""
        return type(self).changes is not Operation.changes

    def claim(self, ask: Ask[T, P], entry: UUID) -> Claims:
        """Make and lock rows, take of quotas for the entry of this uuid; raises Refusal. In the first transaction."""
        return Claims()

    def perform(self, ask: Ask[T, P]) -> str:
        """What is not sent: do it, inside the first transaction. Returns words for the journal, or nothing."""
        raise NotImplementedError

    def send(self, ask: Ask[T, P], entry: Entry, fence: Callable[[], None]) -> Submission:
        """What is sent: do it, outside any transaction. Raises NotTaken.

        `fence` is called before anything is sent, when the time within which that has to be done runs already. It
        raises NotTaken where the caller may not send any more.
        """
        raise NotImplementedError

    def rehearse(self, ask: Ask[T, P]) -> Sequence[Shown]:
        """What would be sent, in order, without secrets; nothing is sent."""
        return ()

    def accept(self, ask: Ask[T, P], entry: Entry, submission: Submission) -> None:
        """Hook: it was taken. Runs in the second transaction, before the entry says so."""

    @contextmanager
    def lane(self, target: T) -> Iterator[None]:
        """Hold a place among those who wait for the same, from before anything is written. Raises Refusal."""
        yield

    def name_of(self, target: T) -> str:
        """What the journal calls the target."""
        return str(target)

    def target_of(self, target: Any) -> Target:
        """The target as the journal knows it; what was to be made, and is not there, has no name."""
        if target is SITE:
            return Target(self.kind, None, "")
        return Target(self.kind, target.pk, self.name_of(target), uuid=getattr(target, "uuid", ""))

    def obstacle_around(self, target: T) -> str | None:
        """Why nothing of this kind can be done to the target: its cluster is away, for instance."""
        return None

    def consequence_for(self, target: T) -> str:
        """What one should know before it is done to this target."""
        return str(self.consequence)

    def facts(self, target: T) -> Sequence[tuple[Words, str]]:
        """What its page lists of the target before it is done: labels and values, of what will be lost for instance."""
        return ()

    def longest_s(self, params: Mapping[str, Any]) -> float | None:
        """Seconds that a running job of it takes at the longest, by the entry's parameters; None: it can't be told."""
        return None

    def is_shown_by(self, target: T) -> bool:
        """Whether the row of the target says what a success brings about. Ganeti may serve the old state a while."""
        return True

    def succeeded(self, entry: Entry) -> None:
        """Hook: the jobs ended well. Runs in the transaction that settles the entry."""

    def failed(self, entry: Entry) -> None:
        """Hook: the jobs failed, were cancelled, or never came to be."""

    def journal_params(self, params: P) -> dict[str, Any]:
        """What the journal keeps of the parameters; never secrets."""
        return asdict(params) if is_dataclass(params) and not isinstance(params, type) else {}


AnyOperation = Operation[Any, Any]
