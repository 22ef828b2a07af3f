"""Choosing a node, with what would stay free there."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django import forms

from virtualmachines.room import Place

Places = Callable[[], Sequence[Place]]


class NodeSelect(forms.Select):
    """Nodes where a machine can't go are listed with the reason, and can't be chosen.

    They are looked at when it is drawn: where a program fills in the form of many machines, nobody looks.
    """

    def __init__(self, places: Places, otherwise: Any, *, tells_room: bool) -> None:
        super().__init__()
        self._places = places
        self._otherwise = otherwise
        self._tells_room = tells_room

    @cached_property
    def places(self) -> Sequence[Place]:
        """Best first."""
        return self._places()

    def optgroups(self, *args: Any, **options: Any) -> Any:
        """What can be chosen, as it is now."""
        choices = []
        for place in self.places:
            words = place.words if self._tells_room else place.reason
            choices.append((place.node.name, f"{place.node.name}: {words}" if words else place.node.name))
        self.choices = [("", self._otherwise), *choices] if self._otherwise else choices
        return super().optgroups(*args, **options)

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        """An option, disabled if its node is barred."""
        option = super().create_option(name, value, *args, **options)
        if any(place.node.name == str(value) and not place.is_usable for place in self.places):
            option["attrs"]["disabled"] = True
        return option


class NodeField(forms.CharField):
    """The name of a node; what it means is for the operation's check. It is asked for once `offer` was called."""

    widget: Any = forms.HiddenInput

    def offer(self, places: Places, *, otherwise: Any = "", tells_room: bool = True) -> None:
        """List these places, best first. `otherwise`: what it is called to choose none of them, if one need not."""
        widget = NodeSelect(places, otherwise, tells_room=tells_room)
        widget.is_required = self.required
        if not otherwise:  # as the browser will have it
            self.initial = next((place.node.name for place in widget.places if place.is_usable), "")
        self.widget = widget
