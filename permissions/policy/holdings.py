"""Who was given what that counts on one object: what its page of rights lists, and who may do a thing to it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import CharField, DateTimeField, F, Model, Q, QuerySet

from permissions.access import Access
from permissions.models import Granted, Persona, Role, RoleGrant, User
from permissions.policy.holders import has_not_ended
from permissions.policy.ways import access_of, grant_tables, marks, quoted, union

# A model (none: roles), its table of grants, and to whom: by which column, and who by their keys.
_Granting = tuple[Any, Any, str, Mapping[int, Any]]


@dataclass(frozen=True)
class Holding:
    """What one person or team was given in one way.

    `on` is what it was given on: the object asked about, the one it belongs to, or (None) everything. `verbs` are those
    that were given there, with their ends; what comes of `role` is the role's. `gives` is all that it allows on the
    object asked about: nothing, where it counts only for what belongs to that.
    """

    who: User | Group
    on: Model | None
    verbs: Mapping[str, datetime | None]
    gives: frozenset[str]
    role: Role | None = None
    tag: str = ""
    owner: Persona | None = None
    giver: str = ""
    granted_at: datetime | None = None
    until: datetime | None = field(default=None)

    @property
    def is_team(self) -> bool:
        """Whether it was given to a team."""
        return isinstance(self.who, Group)

    @property
    def name(self) -> str:
        """What one types for who holds it."""
        return f"@{self.who.name}" if isinstance(self.who, Group) else self.who.username

    @property
    def ends(self) -> list[tuple[str, datetime]]:
        """Right and moment, where there is an end; one that counts for all has no name."""
        if self.until is not None:
            return [("", self.until)]
        found = [(verb, end) for verb, end in sorted(self.verbs.items()) if end is not None]
        return [("", found[0][1])] if found and set(self.verbs.values()) == {found[0][1]} else found

    @property
    def narrowed(self) -> dict[str, str]:
        """To which tag and owner a role is narrowed, as one types them."""
        owner = self.owner
        typed = {"tag": self.tag, "owner": "" if owner is None else f"{'@' if owner.group_id else ''}{owner.name}"}
        return {name: value for name, value in typed.items() if value}


def find_holdings(obj: Model) -> list[Holding]:
    """All that counts on `obj` now, its own first; what superusers may do is given by nobody."""
    access = access_of(type(obj))
    parent: Model | None = getattr(obj, access.parent) if access.parent else None
    found = list(_of_grants(obj, access.granting, access.every))
    if parent is not None:
        from_parent = [each for each in _of_grants(parent, access.granting_from_parent, access.every) if each.gives]
        found += from_parent
    return [*found, *_of_roles(obj, parent, access)]


def list_people(holdings: Iterable[Holding], verb: str) -> list[User]:
    """Everybody who may do `verb` by what is held, and superusers, by name; accounts that are switched off left out."""
    giving = [each for each in holdings if verb in each.gives]
    people = [each.who.pk for each in giving if not each.is_team]
    teams = [each.who.pk for each in giving if each.is_team]
    which = Q(is_superuser=True) | Q(pk__in=people) | Q(groups__in=teams)
    return list(User.objects.filter(which, is_active=True).distinct().order_by("username"))


def find_holdings_of(person: User, *, with_teams: bool = True) -> list[Holding]:
    """All that was given to a person, and (if wanted) to the teams they are in, wherever it counts, and counts now."""
    return _find_of({person.pk: person}, {group.pk: group for group in person.groups.all()} if with_teams else {})


def find_holdings_of_team(team: Group) -> list[Holding]:
    """All that was given to a team itself, likewise."""
    return _find_of({}, {team.pk: team})


def _find_of(people: Mapping[int, User], teams: Mapping[int, Group]) -> list[Holding]:
    subjects: tuple[tuple[str, Mapping[int, Any]], ...] = (("user", people), ("group", teams))
    tables: list[_Granting] = [
        (model, table, whom, who)
        for model in apps.get_models()
        if isinstance(getattr(model, "access", None), Access)
        for table, (whom, who) in zip(grant_tables(model) or (), subjects, strict=False)
    ]
    tables += [(None, RoleGrant, whom, who) for whom, who in subjects]
    found: list[Holding] = []
    has_roles = False
    for model, table, whom, who in _with_rows(tables):
        if model is None:
            has_roles = True
        else:
            found += _of_subjects(model, table, whom, who)
    return [*found, *(_roles_of(Q(user__in=people) | Q(group__in=teams)) if has_roles else ())]


def _with_rows(tables: Sequence[_Granting]) -> list[_Granting]:
    """Those of `tables` that have any rows of theirs: most people and teams hold things of one or two kinds, and each
    table that is read costs more than to ask this of all."""
    asked = [
        (f"SELECT {number} WHERE EXISTS (SELECT 1 FROM {quoted(table)} WHERE {whom}_id IN ({marks(who)}))", tuple(who))  # noqa: S608
        for number, (_model, table, whom, who) in enumerate(tables)
        if who
    ]
    sql, params = union(asked)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [tables[number] for (number,) in sorted(cursor.fetchall())]


def find_holdings_everywhere() -> list[Holding]:
    """The roles that were given on everything, narrowed ones included, to whomever; those that count now."""
    return list(_roles_of(Q(scope_kind="")))


def find_holdings_by_role(role: Role) -> list[Holding]:
    """All grants of a role that count now, to whomever and wherever."""
    return list(_roles_of(Q(role=role)))


def _of_subjects(model: type[Model], table: Any, whom: str, who: Mapping[int, User | Group]) -> Iterator[Holding]:
    """Single verbs of these people or teams on objects of a model, those on one object together."""
    access = access_of(model)
    giving = {verb: access.granting(verb) for verb in access.every}
    rows: dict[tuple[int, int], list[Any]] = defaultdict(list)
    there = _with_names(table.objects.filter(has_not_ended(), **{f"{whom}__in": who}), model, "content_object")
    unasked = [
        f"granted_by__{field.name}" for field in User._meta.concrete_fields if field.name not in ("id", "username")
    ]
    told = there.select_related("granted_by").defer(*unasked).annotate(codename=F("permission__codename"))
    for row in told.order_by("granted_at", "pk"):
        rows[getattr(row, f"{whom}_id"), row.content_object_id].append(row)
    for (subject, _key), some in rows.items():
        last = some[-1]
        verbs = {str(row.codename): row.expires_at for row in some}
        gives = frozenset(verb for verb, some_give in giving.items() if some_give & verbs.keys())
        story = {"giver": last.giver, "granted_at": last.granted_at}
        yield Holding(who[subject], last.content_object, verbs, gives, **story)


def _with_names(rows: QuerySet[Any], model: type[Model], path: str = "") -> QuerySet[Any]:
    """`rows` with the objects of `model` to which `path` leads, and what these belong to: of both only their texts and
    times, of which names and addresses are made. To make wide rows takes Django longest."""
    parent, wanted = access_of(model).parent, {path: model}
    if parent:
        wanted[f"{path}__{parent}" if path else parent] = model._meta.get_field(parent).related_model  # type: ignore[assignment]
    unasked = [
        f"{there}__{field.name}" if there else field.name
        for there, each in wanted.items()
        for field in each._meta.concrete_fields
        if not (field.primary_key or field.name == parent or isinstance(field, CharField | DateTimeField))
    ]
    related = [there for there in wanted if there]
    return (rows.select_related(*related) if related else rows).defer(*unasked)


def _roles_of(subject: Q) -> Iterator[Holding]:
    """Roles of those whom `subject` means; what was given on an object that is gone is left out."""
    rows = list(
        RoleGrant.objects.filter(subject, has_not_ended())
        .select_related("role", "user", "group", "owner__user", "owner__group", "granted_by")
        .order_by("role__name", "pk")
    )
    scopes = {row.scope_kind for row in rows} - {""}
    objects: dict[tuple[str, int], Model] = {}
    for model in apps.get_models() if scopes else ():
        access = getattr(model, "access", None)
        if isinstance(access, Access) and access.kind in scopes:
            keys = [row.scope_pk for row in rows if row.scope_kind == access.kind]
            there = _with_names(model._default_manager.filter(pk__in=keys), model)
            objects |= {(access.kind, each.pk): each for each in there.order_by()}
    for row in rows:
        who, on = row.user or row.group, objects.get((row.scope_kind, row.scope_pk or 0))
        if who is not None and (on is not None or not row.scope_kind):
            story: Any = {"giver": row.giver, "granted_at": row.granted_at, "until": row.expires_at}
            yield Holding(who, on, {}, frozenset(), row.role, row.tag, row.owner, **story)


def _of_grants(on: Model, giving: Any, every: frozenset[str]) -> Iterator[Holding]:
    """Single verbs on one object, those of one person or team together."""
    for table, whom in zip(grant_tables(type(on)) or (), ("user", "group"), strict=False):
        rows: dict[int, list[Granted]] = defaultdict(list)
        there = table.objects.filter(has_not_ended(), content_object=on).select_related(whom, "permission")
        for row in there.select_related(whom, "permission", "granted_by").order_by(f"{whom}__id", "granted_at", "pk"):
            rows[getattr(row, f"{whom}_id")].append(row)
        for some in rows.values():
            last: Any = some[-1]
            verbs = {str(row.permission.codename): row.expires_at for row in some}  # type: ignore[attr-defined]
            gives = frozenset(verb for verb in every if giving(verb) & verbs.keys())
            yield Holding(getattr(last, whom), on, verbs, gives, giver=last.giver, granted_at=last.granted_at)


def _of_roles(obj: Model, parent: Model | None, access: Access) -> Iterator[Holding]:
    """Roles on the object, on what it belongs to and on everything; narrowed ones where they fit, or stand."""
    scope = Q(scope_kind="") | Q(scope_kind=access.kind or "-", scope_pk=obj.pk)
    if parent is not None:
        scope |= Q(scope_kind=access_of(type(parent)).kind or "-", scope_pk=parent.pk)
    rows = RoleGrant.objects.filter(scope, has_not_ended()).select_related(
        "role", "user", "group", "owner__user", "owner__group", "granted_by"
    )
    for row in rows.prefetch_related("role__verbs").order_by("role__name", "pk"):
        on = None if not row.scope_kind else obj if row.scope_kind == access.kind else parent
        is_narrow, held = bool(row.tag or row.owner_id), row.role.verbs.all()
        own = {each.verb for each in held if each.kind == access.kind}
        gives = {verb for verb in access.every if access.granting(verb) & own} if _fits(row, obj, access) else set()
        if parent is not None and on is not obj and not is_narrow:
            above = {each.verb for each in held if each.kind == access_of(type(parent)).kind}
            gives |= {verb for verb in access.every if access.granting_from_parent(verb) & above}
        who = row.user if row.user is not None else row.group
        if who is not None and (gives or on is obj):
            yield Holding(
                who,
                on,
                {},
                frozenset(gives),
                row.role,
                row.tag,
                row.owner,
                giver=row.giver,
                granted_at=row.granted_at,
                until=row.expires_at,
            )


def _fits(row: RoleGrant, obj: Any, access: Access) -> bool:
    """Whether what the role is narrowed to is true of the object."""
    if row.tag and row.tag not in (_tags_of(obj, access.tags) if access.tags else ()):
        return False
    return row.owner_id is None or (bool(access.owner) and getattr(obj, f"{access.owner}_id") == row.owner_id)


def _tags_of(obj: Any, relation: str) -> Sequence[str]:
    return [each.tag for each in getattr(obj, relation).all()]
