"""How machines, jobs and journal entries are drawn."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clusters.states import state_of_cluster, state_of_node
from gwm.operations import OPERATIONS
from gwm.templatetags.parts import draw, state
from gwm.templatetags.units import DASH
from objectlog.sentences import describe
from virtualmachines.states import State, state_of

register = template.Library()

_KINDS = {"run": "ok", "err": "bad"}
_IMAGES = frozenset({"image", "snf-image", "debootstrap", "noop", "instance-debootstrap"})


def state_of_vm(vm: Any) -> State:
    """The state to show of a machine."""
    operation = OPERATIONS.get(vm.busy_with)
    doing = str(operation.doing if operation is not None else "") or vm.busy_with
    return state_of(vm.status, is_missing=vm.missing_since is not None, doing=doing if vm.busy_entry else "")


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
def os_name(value: str) -> str:
    """An operating system of Ganeti's as people call it: "debian+12" is Debian 12, "image+noble" is Noble."""
    name, _, variant = str(value).partition("+")
    words = [name] if variant in ("", "default") else [variant] if name in _IMAGES else [name, variant]
    return " ".join(part[:1].upper() + part[1:] for word in words for part in word.replace("_", "-").split("-") if part)


@register.filter
def sentence(entry: Any) -> str:
    """What an entry of the journal says was done; a verb without a sentence stands for itself."""
    try:
        return describe(entry.verb, entry.target_name)
    except KeyError:
        return f"{entry.verb} {entry.target_name}"


@register.filter
def item(mapping: Mapping[Any, Any], key: Any) -> Any:
    """One value of a mapping, or nothing."""
    return mapping.get(key)


@register.simple_tag(takes_context=True)
def cluster_state(context: Context, cluster: Any) -> SafeString:
    """The state of a cluster, its nodes taken into account as far as the person may see them; the error on hover."""
    kind, word = state_of_cluster(cluster, context["node_tallies"].get(cluster.pk))
    return state(word, kind=kind, word=word, title=cluster.last_error)


@register.simple_tag
def node_state(node: Any) -> SafeString:
    """The state of a node."""
    kind, word = state_of_node(node)
    return state(word, kind=kind, word=word)


@register.filter
def as_words(value: Any) -> str:
    """A value of Ganeti's as people read it: yes and no, lists with commas, name=value as on Ganeti's command line."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{key}={as_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        is_nested = any(isinstance(each, dict | list | tuple) for each in value)
        return ("; " if is_nested else ", ").join(as_words(each) for each in value)
    return str(value)
