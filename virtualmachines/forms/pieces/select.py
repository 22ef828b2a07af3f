"""A choice that is drawn without a template for each option: a form of a machine has hundreds."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from ui.templatetags.parts import draw, draw_attributes

Option = tuple[str, Any]
Options = Iterable[tuple[Any, Any]]


class QuickSelect(forms.Widget):
    """Options, some of which may be in groups, (label, [options]), or barred, with their reason in their words.

    Both may be functions, which are called when it is drawn: a form that is sent is read, and mostly not drawn.
    """

    # Django asks this of a widget to know whether it is a group of controls.
    input_type = "select"

    def __init__(
        self,
        options: Options | Callable[[], Options],
        *,
        barred: Iterable[str] | Callable[[], Iterable[str]] = (),
        **attrs: Any,
    ) -> None:
        super().__init__(attrs)
        self._options, self._barred = options, barred

    @cached_property
    def options(self) -> list[tuple[Any, Any]]:
        """In the order in which they stand."""
        return list(self._options() if callable(self._options) else self._options)

    @cached_property
    def barred(self) -> frozenset[str]:
        """The keys of those that can't be chosen."""
        return frozenset(self._barred() if callable(self._barred) else self._barred)

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


class QuietSelect(QuickSelect):
    """One that is hidden where there is nothing to choose from."""

    @property
    def is_hidden(self) -> bool:
        """What a form's template asks."""
        return len(self.options) < 2

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """All of it, or what was chosen."""
        if self.is_hidden:
            return forms.HiddenInput(self.attrs).render(name, value, dict(attrs or {}), renderer)
        return super().render(name, value, attrs, renderer)
