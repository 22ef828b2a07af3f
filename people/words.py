"""What people type on the command line: somebody, something, and a moment."""

import re
from datetime import datetime, timedelta

from django.core.management.base import CommandError
from django.db.models import Model
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from clusters.models import Cluster, Job, Node
from clusters.moved import Moved
from clusters.selectors import get_cluster
from operations.contract import SITE
from people.operations.rights import Grantable
from permissions.models import Team, User
from permissions.policy import visible
from permissions.selectors import find_group, find_user, list_teams
from virtualmachines.models import VirtualMachine
from virtualmachines.selectors import get_vm

EVERYTHING = "everything"
_SPANS = {"h": "hours", "d": "days", "w": "weeks"}


def read_person(name: str) -> User:
    """By user name. CommandError."""
    found = find_user(name)
    if found is None:
        raise CommandError(f"There is no user “{name}”.")
    return found


def read_subject(text: str) -> User | Team:
    """A user name, or @ and the name of a team. CommandError."""
    if not text.startswith("@"):
        return read_person(text)
    found = find_group(text[1:])
    if found is None:
        raise CommandError(f"There is no team “{text[1:]}”.")
    return found


def read_grantable(actor: User, text: str) -> Grantable:
    """CLUSTER, CLUSTER/MACHINE, @TEAM or "everything", among what the actor may see. CommandError."""
    if text == EVERYTHING:
        return SITE
    if text.startswith("@"):
        team = visible(actor, "view", list_teams()).filter(name=text[1:]).first()
        if team is None:
            raise CommandError(f"There is no team {text} that {actor} may see.")
        return team
    slug, _, name = text.partition("/")
    try:
        return get_vm(actor, slug, name) if name else get_cluster(actor, slug)
    except Moved as moved:
        raise CommandError(str(moved)) from moved
    except Http404 as nothing:
        raise CommandError(f"There is no {text} that {actor} may see.") from nothing


def read_any(text: str) -> Model | None:
    """Whatever there is, for who runs the service: CLUSTER, CLUSTER/MACHINE, /NODE or /JOB, @TEAM, everything."""
    if text == EVERYTHING:
        return None
    found: Model | None
    slug, _, name = text.partition("/")
    if text.startswith("@"):
        found = list_teams().filter(name=text[1:]).first()
    elif not name:
        found = Cluster.objects.filter(slug=slug).first()
    elif name.isdigit():
        found = Job.objects.filter(cluster__slug=slug, ganeti_id=int(name)).first()
    else:
        here = {"cluster__slug": slug, "name": name}
        machine = VirtualMachine.objects.filter(**here).order_by("missing_since", "-pk")
        found = machine.filter(missing_since=None).first() or Node.objects.filter(**here).first() or machine.first()
    if found is None:
        raise CommandError(f"There is no {text}.")
    return found


def read_moment(text: str) -> datetime:
    """A date (its beginning), a time with or without zone, or a span from now on: 12h, 30d, 2w. CommandError."""
    span = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if span:
        return timezone.now() + timedelta(**{_SPANS[span[2]]: int(span[1])})
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001 - made aware
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"“{text}” is no moment; use 2030-12-31, 2030-12-31T18:00, or a span such as 12h, 30d, 2w.")
    moment = timezone.make_aware(found) if timezone.is_naive(found) else found
    if moment <= timezone.now():
        raise CommandError(f"{text} has passed already.")
    return moment


def name_of(obj: Grantable) -> str:
    """As it was typed, more or less."""
    return EVERYTHING if obj is SITE else str(obj)


def kind_of(obj: Grantable) -> str:
    """Its kind, as keys of operations have it."""
    if isinstance(obj, VirtualMachine):
        return "vm"
    return "cluster" if isinstance(obj, Cluster) else "team" if isinstance(obj, Team) else "site"
