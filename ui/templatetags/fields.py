"""Fields of forms as most are, drawn here and not in a template: a form of a machine has a hundred of them."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput
from django.template import Context
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


@register.simple_tag(takes_context=True)
def fields_beside(context: Context, fields: Iterable[BoundField]) -> SafeString:
    """Fields beside each other, each in the width and with the suggestions that it has; no word that it may stay empty.

    Those that are no more than a label and a control, which are nearly all, take no template.
    """
    drawn: list[str] = []
    for field in fields:
        css = getattr(field.field, "css", "")
        if field.is_hidden or field.use_fieldset or isinstance(field.field.widget, CheckboxInput):
            with context.push(field=field, css=css, quiet=True):
                drawn.append(_others(context).render(context))
        else:
            drawn.append(plain_field(field, css, quiet=True))
        name, offered = getattr(field.field, "suggestions", None) or ("", ())
        if name:
            options = [draw('<option value="{}"></option>', each) for each in offered]
            drawn.append(draw('<datalist id="{}">{}</datalist>', name, SafeString("".join(options))))
    return SafeString("\n".join(drawn))


def _others(context: Any) -> Any:
    return context.template.engine.get_template("parts/_field.html")


_FIELD = '<div class="field{} {}" data-field="{}">\n  <label for="{}">{}{}</label>\n  {}{}{}\n</div>'
_ERROR = '<p class="field-error" id="{}_error">{}<span>{}</span></p>'
