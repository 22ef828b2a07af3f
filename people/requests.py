"""What a request asks for, in words."""

from django.utils.translation import gettext as _

from quotas.amounts import DIMENSIONS
from quotas.models import Request
from quotas.services import WORDS
from ui.templatetags.units import count, mib

# How states are drawn; their words are those of the model.
LOOKS = {
    Request.State.OPEN: "busy",
    Request.State.APPROVED: "ok",
    Request.State.DECLINED: "bad",
    Request.State.WITHDRAWN: "off",
}


def title_of(asked: Request) -> str:
    """What it is for: quota, or a machine, with its name if that was said."""
    if asked.kind == Request.Kind.QUOTA:
        return _("quota")
    return _("machine %s") % asked.name if asked.name else _("a machine")


def describe(asked: Request) -> str:
    """In one line, limits or size included."""
    where = _("on %s") % asked.cluster if asked.cluster is not None else _("on any cluster")
    return f"{title_of(asked)} {where}: {sizes_of(asked)}"


def sizes_of(asked: Request) -> str:
    """Its limits, or the size of the machine."""
    told = [
        f"{WORDS[name]} {tell(name, value)}"
        for name in DIMENSIONS
        if (value := getattr(asked, name)) is not None or (asked.kind == Request.Kind.QUOTA)
    ]
    return ", ".join(told)


def tell(name: str, value: int | None) -> str:
    """One of the figures, with its unit."""
    if value is None:
        return _("no limit")
    return mib(value) if name.endswith("_mib") else count(value)
