"""From what a page, a batch, the API or the command line says to an operation's parameters: one parser for all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.forms.widgets import ChoiceWidget
from django.utils.translation import gettext_lazy

from objectlog.words import gettext as _
from objectlog.words import ngettext, told
from operations.contract import Actor, AnyOperation, Invalid
from operations.table import FORMS, FORMS_FOR_MANY, F
from ui.templatetags.units import DASH

_LONGEST_VERSION = 600


class OpenedField(forms.CharField):
    """What the page showed of the target, as its operation tells versions apart: of another nothing is done."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Version"), required=False, max_length=_LONGEST_VERSION, widget=forms.HiddenInput
        )


class NamingField(forms.CharField):
    """Names something that not everybody may see: who asks, about which target, decides what there is to be named.

    A form tells its fields before it reads them; as long as nobody asks, nothing that is hidden from some is there.
    """

    actor: Actor | None = None
    target: Any = None


class OperationForm(forms.Form):
    """Base of all operations' forms; without fields, for operations without parameters.

    It knows target and actor, so that it can prefill and narrow choices. It looks at shapes and types; what the
    parameters mean is for the operation's `check`.

    Fields `from_address` take what the page's address says, so that a link may lead to a form that is filled in.
    """

    from_address: ClassVar[Sequence[str]] = ()

    def __init__(self, data: Any = None, *, target: Any = None, actor: Actor | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.target = target
        self.actor = actor
        for field in self.fields.values():
            if isinstance(field, NamingField):
                field.actor, field.target = actor, target
        if target is not None:
            self.fit()

    def fit(self) -> None:
        """Narrow choices to what makes sense for `self.target` and `self.actor`."""

    def fit_many(self, targets: QuerySet[Any]) -> None:
        """Narrow choices to what makes sense for some of these, where many are asked for at once."""

    @classmethod
    def filled_in(cls, targets: QuerySet[Any], actor: Actor) -> dict[str, Any]:
        """What it has before anything is typed, where many are asked for at once."""
        form = cls(actor=actor)
        form.fit_many(targets)
        return form.filled()

    def filled(self) -> dict[str, Any]:
        """The same of this one."""
        there = {name: self.get_initial_for_field(self.fields[name], name) for name in self.base_fields}
        return {name: value for name, value in there.items() if value is not None}

    @classmethod
    def again(cls, kept: Mapping[str, Any]) -> dict[str, Any]:
        """What it has when it is asked for once more, of what the journal keeps (`journal_params`): no version."""
        return {name: value for name, value in kept.items() if not isinstance(cls.base_fields.get(name), OpenedField)}

    def untold(self, kept: Mapping[str, Any]) -> Iterator[str]:
        """What of that has to be typed or chosen once more, in sentences: it is gone by now, or kept nowhere."""
        for name, field in self.fields.items():
            given, widget = self.initial.get(name) if name in kept else None, field.widget
            if given in (None, "", [], ()) or not isinstance(widget, ChoiceWidget):
                continue
            if not _offers(widget, name, field.prepare_value(given)):
                if not widget.allow_multiple_selected:  # else a browser would take the first
                    self.initial[name] = ""
                    if isinstance(widget, forms.Select):
                        widget.choices = [("", DASH), *widget.choices]
                words = _("%(field)s: what was chosen then can't be chosen any more. Choose again.")
                yield words % {"field": told(field.label or name)}

    def reopen(self) -> None:
        """It is shown again with what is there now: whoever sends it once more has seen that."""
        given: Any = self.data
        data = given.copy()  # what came from a page can't be changed itself
        for name, field in self.fields.items():
            if isinstance(field, OpenedField):
                data[self.add_prefix(name)] = field.initial or ""
        self.data = data

    @classmethod
    def asks_for_something(cls) -> bool:
        """Whether there is something to fill in."""
        return any(not field.widget.is_hidden for field in cls.base_fields.values())

    @property
    def asks(self) -> bool:
        """The same of this one."""
        return self.asks_for_something()

    def kept(self) -> dict[str, Any]:
        """What a batch keeps of it: names and values that `params_from` takes for each of its targets."""
        return {name: self.cleaned_data[name] for name in self.base_fields}

    def params(self, operation: AnyOperation) -> Any:
        """The operation's parameters, from a form that is valid."""
        return operation.params_type(**{name: self.cleaned_data[name] for name in self.base_fields})


def _offers(widget: ChoiceWidget, name: str, value: Any) -> bool:
    """Whether all of a value can be chosen."""
    values = widget.format_value(value)
    options = [option for _group, some, _index in widget.optgroups(name, values) for option in some]
    there = {str(option["value"]) for option in options if "disabled" not in option["attrs"]}
    return there >= set(values)


def asks_for(key: str) -> Callable[[F], F]:
    """Put a form into the table: it asks for the parameters of the operation with this key."""

    def put(form: F) -> F:
        FORMS[key] = form
        return form

    return put


def asks_for_many(key: str) -> Callable[[F], F]:
    """The same for a form that asks once for many targets, where the form for one would not do."""

    def put(form: F) -> F:
        FORMS_FOR_MANY[key] = form
        return form

    return put


def form_for_many(operation: AnyOperation) -> type[OperationForm]:
    """The form that asks for parameters of many targets at once."""
    return FORMS_FOR_MANY.get(operation.key) or form_for(operation)


def form_for(operation: AnyOperation) -> type[OperationForm]:
    """The form that asks for an operation's parameters."""
    return FORMS.get(operation.key, OperationForm)


def params_from(operation: AnyOperation, actor: Actor, target: Any, data: Mapping[str, Any]) -> Any:
    """The parameters, from names and values as they came. Raises Invalid, which names each field and what is wrong."""
    form = form_for(operation)(data, target=target, actor=actor)
    unknown = sorted(set(data) - set(form.fields))
    if unknown:
        known = ", ".join(form.fields) or _("none")
        words = ngettext(
            "“%(operation)s” has no parameter %(unknown)s; it has: %(known)s.",
            "“%(operation)s” has no parameters %(unknown)s; it has: %(known)s.",
            len(unknown),
        )
        raise Invalid({"": words % {"operation": operation.key, "unknown": ", ".join(unknown), "known": known}})
    if not form.is_valid():
        raise Invalid(
            {
                name if name in form.fields else "": f"{name}: {' '.join(map(str, errors))}"
                for name, errors in form.errors.items()
            }
        )
    return form.params(operation)
