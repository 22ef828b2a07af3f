"""What an installation's theme (docs/themes.md) puts on pages: name, logo, style sheets and texts.

They read the settings, so that they also work where there is no request: in mails, and when the database is away.
"""

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from ui.templatetags.parts import draw, icon
from ui.theming.described import COLOURS_SHEET, OWN_SHEET, Theme

register = template.Library()


def _theme() -> Theme:
    theme: Theme = settings.GWM_THEME
    return theme


@register.simple_tag
def site_name() -> str:
    """What the service is called here."""
    return _theme().name


@register.simple_tag
def mark(tag: str = "") -> SafeString:
    """Logo and name, the name within this `tag` if it is to have one."""
    theme = _theme()
    if theme.logo and theme.logo_says_name:
        return draw('<img class="logo" src="{}" alt="{}">', static(theme.logo), theme.name)
    sign = draw('<img class="logo" src="{}" alt="">', static(theme.logo)) if theme.logo else icon("mark")
    return draw("{}<{}>{}</{}>", sign, tag, theme.name, tag) if tag else draw("{}{}", sign, theme.name)


@register.simple_tag
def theme_sheets() -> SafeString:
    """Links to the theme's colours and to its own style sheet, which stand behind all of ours."""
    theme = _theme()
    names = [*([COLOURS_SHEET] if theme.sheet else []), *([OWN_SHEET] if theme.has_sheet else [])]
    return SafeString("".join(draw('  <link rel="stylesheet" href="{}">\n', static(name)) for name in names))


@register.simple_tag
def theme_text(which: str) -> SafeString:
    """A text of the theme: paragraphs, and addresses as links; whatever else it has is shown as it is written."""
    text = _theme().text(which, get_language() or "", settings.LANGUAGE_CODE)
    if not text:
        return SafeString("")
    paragraphs = linebreaks(urlize(text, nofollow=True, autoescape=True))
    return draw('<div class="own-text">{}</div>\n', SafeString(paragraphs))
