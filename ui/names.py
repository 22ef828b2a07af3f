"""A box in which the name of a person or team is typed, with those offered that one knows."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ui.fields import PLAIN
from ui.places import list_of


class NameInput(forms.TextInput):
    """A box with a list behind it, which a script fills while one types; without one the name is typed in full.

    `teams`: names of teams, each with @, are offered too.
    """

    def __init__(self, *, teams: bool = False) -> None:
        super().__init__(dict(PLAIN))
        self.teams = teams

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With the address that is asked, and where its answer goes."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        of_box = context["widget"]["attrs"]
        of_box |= {
            "list": f"names-{of_box.get('id', name)}",
            "hx-get": f"{list_of('name')}?of={name}{'&teams=1' if self.teams else ''}",
            "hx-trigger": "focus once, input changed delay:150ms",
            "hx-target": "next datalist",
            "hx-swap": "innerHTML",
            "hx-push-url": "false",
        }
        return context

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The box and its list, empty as yet."""
        of_box = self.build_attrs(self.attrs, attrs)
        box = super().render(name, value, attrs, renderer)
        return format_html('{}<datalist id="names-{}"></datalist>', box, of_box.get("id", name))
