"""Fields of forms as most are, drawn here and not in a template: a form of a machine has a hundred of them."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop

from ui.said import said
from ui.templatetags.parts import draw, icon

register = template.Library()


@register.simple_tag
def plain_field(field: BoundField, css: str = "", quiet: bool = False) -> SafeString:
    """Label, control, help, errors. `quiet`: it is not said that it may stay empty."""
    errors, about = field.errors, str(field.help_text)
    is_optional = not field.field.required and not quiet
    return draw(
        _FIELD,
        " has-error" if errors else "",
        css,
        field.name,
        field.id_for_label,
        str(field.label),
        draw(' <span class="optional">{}</span>', said(gettext_noop("optional"))) if is_optional else "",
        str(field),
        draw('<div class="help" id="{}_helptext">{}</div>', field.auto_id, about) if about else "",
        draw(_ERROR, field.auto_id, icon("s-bad"), " ".join(map(str, errors))) if errors else "",
    )


_FIELD = '<div class="field{} {}" data-field="{}">\n  <label for="{}">{}{}</label>\n  {}{}{}\n</div>'
_ERROR = '<p class="field-error" id="{}_error">{}<span>{}</span></p>'
