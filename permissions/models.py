"""People and teams, the personas as which they act, and roles with the grants of them."""

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from permissions.access import Access
from permissions.deleting import cascade_whole

# The roles that a migration makes (0010), and what it says of them.
BUILT_IN_ROLES = {
    "auditor": gettext_noop("Sees everything and who did what, and changes nothing"),
    "helpdesk": gettext_noop("Starts and stops machines, and uses their consoles"),
    "operator": gettext_noop("Runs machines: starts, stops, changes and moves them"),
    "owner": gettext_noop("Everything on machines, including granting rights on them"),
}


class User(AbstractUser):
    """A person who signs in."""

    # Here and not in a table of its own, so that it comes with the person and costs no list a query.
    list_choices = models.JSONField(
        null=True, blank=True, help_text="what they chose for each list: {list: {columns, per_page}}, see ui.tables"
    )
    sign_outs = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="how often an administrator has ended all their sessions; these are bound to it",
    )
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="in which they read the pages; empty: the browser's",
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="by whose clock they read times; empty: the browser's",
    )
    default_persona = models.ForeignKey(
        "permissions.Persona",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="as whom they act after signing in; empty: themselves",
    )
    access = Access(noun=_("person"))

    def get_session_auth_hash(self) -> str:
        """What a session is bound to: the password, and how often all sessions were ended."""
        bound: str = super().get_session_auth_hash()
        if not self.sign_outs:
            return bound
        return salted_hmac("permissions.User.sign_outs", f"{bound}{self.sign_outs}", algorithm="sha256").hexdigest()


class Team(Group):
    """A group of people, as something on which rights can be granted. Another view of Django's own table."""

    access = Access(
        kind="team",
        noun=_("team"),
        verbs={
            "admin": _("Everything on the team: its members, the rights on it, and acting for it"),
            "act": _("Act for the team, if one is a member: own machines as the team, and use its quota"),
            "audit": _("See everything of the team, who did what there and why they may, and change nothing"),
        },
        implies={"admin": frozenset({"act", "audit"})},
        refusals={
            "admin": _("You may not change this team (needs admin)."),
            "act": _("You may not act for this team (needs act)."),
            "audit": _("You may not see everything of this team (needs audit)."),
            "change_teams": _("Only administrators may create and delete teams."),
        },
        to_members=frozenset({"view"}),
    )

    class Meta:
        proxy = True
        permissions = [
            ("admin", "Everything on the team"),
            ("act", "Act for the team"),
            ("audit", "See everything of it"),
        ]
        default_permissions = ()


def content_type_of(model: type[models.Model] | models.Model) -> ContentType:
    """To which the verbs of a model belong; guardian asks it too, and would take Django's Group for a Team."""
    return ContentType.objects.get_for_model(model, for_concrete_model=False)


class ClaimedMembership(models.Model):
    """A membership that is there because a sign-in provider says so, and goes when it says so no more.

    Those without such a row were given by hand, and no provider takes them.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=40, help_text="the key of the provider in the settings")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "team", "provider"], name="claimedmembership_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.team_id} by {self.provider}"


class KeepsNames(models.Model):
    """What says who did something to it, and says so also when their account is deleted.

    `former_names`: by the field of the account, the one that has its name from then on.
    """

    former_names: ClassVar[Mapping[str, str]]

    class Meta:
        abstract = True

    def name_in(self, field: str) -> str:
        """The name of the account in this field, whether or not it is there still; empty where it was not kept."""
        account: User | None = getattr(self, field)
        return account.username if account is not None else str(getattr(self, self.former_names[field]))


class Granted(KeepsNames):
    """What every grant tells of itself. Rows of a release before this one have neither giver nor time."""

    former_names = {"granted_by": "former_giver"}

    granted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="who gave it"
    )
    former_giver = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text="the name of a giver whose account is deleted",
    )
    granted_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="from then on it gives nothing; empty: it has no end"
    )

    class Meta:
        abstract = True

    @property
    def giver(self) -> str:
        """The name of who gave it, also when their account is deleted; empty where it was not kept."""
        return self.name_in("granted_by")


class TeamUserGrant(Granted, UserObjectPermissionBase):
    """One verb on one team for one person."""

    content_object = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="user_grants")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.permission_id} on {self.content_object_id} for {self.user_id}"


class TeamGroupGrant(Granted, GroupObjectPermissionBase):
    """One verb on one team for one team, most often the same."""

    content_object = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="group_grants")

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.permission_id} on {self.content_object_id} for team {self.group_id}"


class Persona(models.Model):
    """Somebody who owns machines and has quotas: exactly one of a person and a group.

    Owning is book-keeping: it grants nothing (see `permissions.policy`).
    """

    user = models.OneToOneField(User, null=True, blank=True, on_delete=cascade_whole, related_name="persona")
    group = models.OneToOneField(Group, null=True, blank=True, on_delete=cascade_whole, related_name="persona")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="persona_is_user_or_group",
                condition=models.Q(user__isnull=True, group__isnull=False)
                | models.Q(user__isnull=False, group__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The user name or the name of the group."""
        if self.user is not None:
            return self.user.username
        return self.group.name if self.group is not None else ""


class Role(models.Model):
    """A named set of verbs. It is live: whoever was granted it holds what it has now."""

    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=255, blank=True)
    access = Access(noun=_("role"))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        """Whether it was there from the beginning, and is known by its name."""
        return self.name in BUILT_IN_ROLES

    @property
    def described(self) -> str:
        """Its description: in the reader's language as long as it is the one that it came with."""
        return gettext(self.description) if self.description == BUILT_IN_ROLES.get(self.name) else self.description


class RoleVerb(models.Model):
    """One verb of a role, on objects of one kind (`Access.kind`)."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="verbs")
    kind = models.CharField(max_length=20)
    verb = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "kind", "verb"], name="roleverb_once")]

    def __str__(self) -> str:
        return f"{self.kind}.{self.verb}"


class RoleGrant(Granted):
    """A role for one person or team: on one object, on what is in one cluster, or on everything.

    With a tag or an owner it counts for those machines alone, and nothing else of the role does. The object is known
    by kind and key, which no other object gets when this one is gone.
    """

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=cascade_whole, related_name="role_grants")
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=cascade_whole, related_name="role_grants")
    scope_kind = models.CharField(max_length=20, blank=True, help_text="empty: everything")
    scope_pk = models.BigIntegerField(null=True, blank=True)
    tag = models.CharField(max_length=128, blank=True, help_text="only machines with this tag")
    owner = models.ForeignKey(
        Persona, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="only machines of theirs"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rolegrant_to_user_or_group",
                condition=models.Q(user__isnull=True, group__isnull=False)
                | models.Q(user__isnull=False, group__isnull=True),
            ),
            models.CheckConstraint(
                name="rolegrant_has_scope",
                condition=models.Q(scope_kind="", scope_pk__isnull=True)
                | (~models.Q(scope_kind="") & models.Q(scope_pk__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["scope_kind", "scope_pk"], name="rolegrant_scope")]

    def __str__(self) -> str:
        return f"{self.role} for {self.user or self.group}"


class SshKey(models.Model):
    """A public key with which its person may sign in to machines that read the feed of keys."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ssh_keys")
    kind = models.CharField(max_length=64, help_text="OpenSSH's name of its type")
    body = models.TextField(help_text="base64, without line breaks")
    bits = models.PositiveIntegerField(default=0, help_text="of an RSA key; else 0")
    comment = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=60, help_text="SHA256:…, as ssh-keygen -l shows it")
    added_at = models.DateTimeField(default=timezone.now)
    access = Access(noun=_("SSH key"))

    class Meta:
        ordering = ["person__username", "pk"]
        constraints = [models.UniqueConstraint(fields=["person", "fingerprint"], name="sshkey_once_a_person")]

    def __str__(self) -> str:
        return f"{self.person.username}/{self.fingerprint}"

    @property
    def line(self) -> str:
        """As it stands in a file of authorized keys."""
        return " ".join(part for part in (self.kind, self.body, self.comment) if part)


class Token(models.Model):
    """With it a script may do one thing in a person's name, as far as that person still may: read a feed of keys.

    What the script shows is kept as a digest alone: it is random, so it needs no salt. It counts on one object with
    what belongs to it, known by kind and key as in `RoleGrant`, or on everything.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    scope_kind = models.CharField(max_length=20, blank=True, help_text="empty: everything")
    scope_pk = models.BigIntegerField(null=True, blank=True)
    scope_name = models.CharField(max_length=300, blank=True, help_text="what the object was called then")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of what the script shows")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    access = Access(noun=_("token"))

    class Meta:
        ordering = ["person__username", "name"]
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="token_named_once"),
            models.CheckConstraint(
                name="token_has_scope",
                condition=models.Q(scope_kind="", scope_pk__isnull=True)
                | (~models.Q(scope_kind="") & models.Q(scope_pk__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.username}/{self.name}"

    @property
    def has_ended(self) -> bool:
        """Whether its end has come."""
        return self.expires_at <= timezone.now()
