"""A choice that is drawn without a template for each option: a form of a machine has hundreds."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from ui.templatetags.parts import draw, draw_attributes

Option = tuple[str, Any]


class QuickSelect(forms.Widget):
    """Options, some of which may be in groups, (label, [options]), or barred, with their reason in their words."""

    # Django asks this of a widget to know whether it is a group of controls.
    input_type = "select"

    def __init__(self, options: Iterable[tuple[Any, Any]], *, barred: Iterable[str] = (), **attrs: Any) -> None:
        super().__init__(attrs)
        self.options, self.barred = list(options), frozenset(barred)

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """All of it."""
        del renderer
        every = {"name": name, **self.attrs, **(attrs or {})}
        chosen = "" if value is None else str(value)
        inside = [
            draw('<optgroup label="{}">{}</optgroup>', key, self._draw(label, chosen))
            if isinstance(label, list)
            else self._draw([(key, label)], chosen)
            for key, label in self.options
        ]
        return draw("<select{}>{}</select>", draw_attributes(every), SafeString("".join(inside)))

    def _draw(self, options: Iterable[Option], chosen: str) -> SafeString:
        drawn = [
            draw(
                '<option value="{}"{}{}>{}</option>',
                key,
                " selected" if key == chosen else "",
                " disabled" if key in self.barred else "",
                label,
            )
            for key, label in options
        ]
        return SafeString("".join(drawn))
