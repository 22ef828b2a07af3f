"""Django's tags of `static`, in place of which this stands (settings); but an address is worked out once.

A page has twenty, and no file moves while a process runs.
"""

from typing import Any

from django.template import Context, Library
from django.template.base import Parser, Token
from django.templatetags import static
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix

register = Library()
register.tags.update(static.register.tags)


class KeptStaticNode(StaticNode):
    """The address of a file that is named in the template."""

    def __init__(self, node: StaticNode) -> None:
        super().__init__(node.varname, node.path)
        self._kept: dict[str, Any] = {}

    def render(self, context: Context) -> Any:
        """As Django has rendered it the first time below this path of the product."""
        prefix = get_script_prefix()
        address = self._kept.get(prefix)
        if address is None:
            address = self._kept[prefix] = super().render(context)
        return address


@register.tag("static")
def do_static(parser: Parser, token: Token) -> StaticNode:
    """`{% static "…" %}`; one with a variable, or a name to be kept under, is Django's."""
    node: StaticNode = StaticNode.handle_token(parser, token)
    is_plain = node.varname is None and isinstance(node.path.var, str) and not node.path.filters
    return KeptStaticNode(node) if is_plain else node
