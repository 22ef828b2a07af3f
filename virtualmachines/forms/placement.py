"""Choosing a node, with what would stay free there."""

from collections.abc import Sequence
from typing import Any

from django import forms

from virtualmachines.room import Place


class NodeSelect(forms.Select):
    """Nodes where a machine can't go are listed with the reason, and can't be chosen."""

    barred: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        """An option, disabled if its node is barred."""
        option = super().create_option(name, value, *args, **options)
        if str(value) in self.barred:
            option["attrs"]["disabled"] = True
        return option


class NodeField(forms.CharField):
    """The name of a node; what it means is for the operation's check. It is asked for once `offer` was called."""

    widget: Any = forms.HiddenInput

    def offer(self, places: Sequence[Place], *, otherwise: Any = "", tells_room: bool = True) -> None:
        """List these places, best first. `otherwise`: what it is called to choose none of them, if one need not."""
        choices = []
        for place in places:
            words = place.words if tells_room else place.reason
            choices.append((place.node.name, f"{place.node.name}: {words}" if words else place.node.name))
        widget = NodeSelect()
        widget.choices = [("", otherwise), *choices] if otherwise else choices
        widget.barred = frozenset(place.node.name for place in places if not place.is_usable)
        widget.is_required = self.required
        if not otherwise:  # as the browser will have it
            self.initial = next((place.node.name for place in places if place.is_usable), "")
        self.widget = widget
