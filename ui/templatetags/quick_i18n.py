"""Django's tags of `i18n`, in place of which this stands (settings); but a sentence is translated once in a language.

A page has about eighty, and to ask for each anew took a tenth of its work.
"""

from typing import Any

from django.template import Context, Library
from django.template.base import Parser, Token
from django.templatetags import i18n
from django.templatetags.i18n import TranslateNode
from django.utils.translation import get_language

register = Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class KeptTranslateNode(TranslateNode):
    """A sentence that is written in the template as it is, with nothing done to it."""

    def __init__(self, node: TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop)
        self._kept: dict[tuple[str | None, bool], Any] = {}

    def render(self, context: Context) -> Any:
        """As Django has rendered it the first time."""
        key = (get_language(), context.autoescape)
        said = self._kept.get(key)
        if said is None:
            said = self._kept[key] = super().render(context)
        return said


@register.tag("translate")
@register.tag("trans")
def do_translate(parser: Parser, token: Token) -> TranslateNode:
    """`{% translate "…" %}`; one with a variable, a filter, a context or a name to be kept under is Django's."""
    node: TranslateNode = i18n.do_translate(parser, token)
    expression = node.filter_expression
    is_plain = isinstance(expression.var.literal, str) and not expression.filters
    if is_plain and node.asvar is None and node.message_context is None:
        return KeptTranslateNode(node)
    return node
