"""What quotas of a cluster can be asked for, and the columns of their list. Its rows are `people.usage.Usage`."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.template import Context
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from people.templatetags.usage import usage_meter
from people.usage import Usage
from ui.columns import Column
from ui.filtering import Language, of_choices, of_text
from ui.tables import Table, declare
from ui.templatetags.buttons import small_action
from ui.templatetags.parts import draw


def _called(name: str) -> Q:
    return Q(user__username__icontains=name) | Q(group__name__icontains=name.removeprefix("@"))


def _just(name: str) -> Q:
    return Q(user__username__iexact=name) | Q(group__name__iexact=name.removeprefix("@"))


QUOTAS = Language(
    keys={
        "name": of_text(_("user name or team"), "name:web", _called, equals=_just),
        "kind": of_choices(_("person or team"), "kind:team", {"person": Q(group=None), "team": ~Q(group=None)}),
    },
    word=_called,
    says=_("user name or team"),
)


def _who(row: Usage, _context: Context) -> SafeString:
    return draw("<strong>{}</strong>", row.name)


def _source(row: Usage, _context: Context) -> object:
    return gettext("own") if row.is_own else draw('<span class="dim">{}</span>', gettext("default"))


def _change(row: Usage, _context: Context) -> SafeString:
    who = urlencode({"who": row.name, "next": reverse("cluster-quotas", args=[row.cluster.slug])})
    links = [("set-quota", gettext("Change"))]
    links += [("remove-quota", gettext("Back to default"))] if row.is_own else []
    drawn = [
        small_action(f"{reverse('cluster-do', args=[row.cluster.slug, verb])}?{who}", label, row.name)
        for verb, label in links
    ]
    return draw(" ".join("{}" for _each in drawn), *drawn)


def _figure(name: str, label: Any) -> Column:
    def values(kind: str) -> Any:
        return lambda row: getattr(row.figure(name), kind)

    return Column(
        name=name.removesuffix("_mib"),
        label=label,
        cell=lambda row, _context: usage_meter(row.figure(name), row.name),
        values={name: values("used"), f"{name}_limit": values("limit")},
        sort=(name, "name"),
        biggest_first=True,
        css="is-alone",
        width=190,
    )


QUOTA_TABLE = declare(
    Table(
        name="quotas",
        title=_("Quotas"),
        kind="persona",
        language=QUOTAS,
        order="name",
        key=lambda row: row.persona.pk,
        columns=(
            Column(
                name="name",
                label=_("Who"),
                cell=_who,
                values={"name": lambda row: row.name},
                sort=("name",),
                stands="name",
                width=200,
                is_fixed=True,
            ),
            _figure("memory_mib", _("Memory")),
            _figure("disk_mib", _("Disk")),
            _figure("vcpus", _("vCPUs")),
            _figure("machines", _("Machines")),
            Column(
                name="source",
                label=_("Quota"),
                cell=_source,
                values={"is_own": lambda row: row.is_own},
                sort=("is_own", "name"),
                width=80,
            ),
            Column(name="change", label=_("Change"), cell=_change, values={}, css="num", width=200, is_fixed=True),
        ),
    )
)
