"""How machines are drawn."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from operations.table import OPERATIONS
from ui.templatetags.parts import draw, state
from ui.templatetags.units import DASH
from virtualmachines.notes import draw_notes
from virtualmachines.states import State, state_of

register = template.Library()

_KINDS = {"run": "ok", "err": "bad"}
_IMAGES = frozenset({"image", "snf-image", "debootstrap", "noop", "instance-debootstrap"})


def state_of_vm(vm: Any) -> State:
    """The state to show of a machine."""
    operation = OPERATIONS.get(vm.busy_with)
    doing = str(operation.doing if operation is not None else "") or vm.busy_with
    return state_of(
        vm.status,
        is_missing=vm.missing_since is not None,
        doing=doing if vm.busy_entry else "",
        was_never_made=vm.was_never_made,
    )


@register.simple_tag
def vm_state(vm: Any) -> SafeString:
    """The state of a machine: shape, word, colour; what it means on hover."""
    shown = state_of_vm(vm)
    word, title = str(shown.word), str(shown.explanation)
    return state(word, kind=_KINDS.get(shown.look, shown.look), word=word, title=title)


@register.simple_tag
def vm_addresses(vm: Any) -> SafeString:
    """The IP addresses of a machine as far as a list has room: the first, and how many more on hover."""
    found = [str(nic["ip"]) for nic in vm.nics if isinstance(nic, dict) and nic.get("ip")]
    if not found:
        return draw("{}", DASH)
    if len(found) == 1:
        return draw("{}", found[0])
    return draw('{} <span class="dim" title="{}">+{}</span>', found[0], ", ".join(found[1:]), len(found) - 1)


@register.filter
def notes(text: str) -> SafeString:
    """Notes in Markdown, drawn."""
    return draw_notes(text)


@register.filter
def os_name(value: str) -> str:
    """An operating system of Ganeti's as people call it: "debian+12" is Debian 12, "image+noble" is Noble."""
    name, _, variant = str(value).partition("+")
    words = [name] if variant in ("", "default") else [variant] if name in _IMAGES else [name, variant]
    return " ".join(part[:1].upper() + part[1:] for word in words for part in word.replace("_", "-").split("-") if part)
