"""/2/query: any fields of any kind of object, without locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from rapi.caller import Caller
from rapi.paths import NotSendable
from rapi.query import QueryResult
from rapi.words import words as _

Resource = Literal["instance", "node", "group", "network", "job", "lock", "export", "filter"]
_RESOURCES: tuple[str, ...] = get_args(Resource)
#: a longer list of fields goes into a body: RAPI's first line ends at 8 KiB
_MAX_GET_LENGTH = 2000


def any_of(field: str, values: Sequence[Any]) -> list[Any]:
    """A filter: the field has one of these values. Use it with uuids and ids.

    Not with names: one name that is gone makes Ganeti fail the whole query.
    """
    return ["|", *(["=", field, each] for each in values)]


def check_filter(qfilter: Any) -> Any:
    """The filter with whole floats as integers: Ganeti can't read a fraction in one. ValueError for a real fraction."""
    if isinstance(qfilter, list | tuple):
        return [check_filter(each) for each in qfilter]
    if isinstance(qfilter, float):
        if not qfilter.is_integer():
            raise NotSendable(_("A number in a filter must be whole."))
        return int(qfilter)
    return qfilter


class QueryCalls(Caller):
    """The query resources."""

    def query(
        self,
        resource: Resource,
        fields: Sequence[str],
        qfilter: list[Any] | None = None,
        *,
        read_timeout_s: float | None = None,
    ) -> QueryResult:
        """Rows of ``fields``, all or those that match Ganeti's filter language. A read; takes no locks.

        A field this release doesn't know is None in all rows (see ``unknown_fields``); an unknown field in the
        filter is Refused. Numbers in filters must be whole.
        """
        if resource not in _RESOURCES:
            raise NotSendable(_("%(resource)s can't be queried.", resource=repr(resource)))
        wanted = tuple(fields)
        if not wanted:
            raise NotSendable(_("A query needs fields."))
        path = f"/2/query/{resource}"
        joined = ",".join(wanted)
        if qfilter is None and len(joined) <= _MAX_GET_LENGTH:
            value = self._call("GET", path, [("fields", joined)], read_timeout_s=read_timeout_s).value
        else:
            body = {"fields": list(wanted), "qfilter": check_filter(qfilter)}
            value = self._ask("PUT", path, body, read_timeout_s=read_timeout_s)
        return QueryResult.parse(value, wanted, str(self.endpoint))

    def query_fields(self, resource: Resource, fields: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Definitions ({name, title, kind, doc}) of all fields, or of the given ones."""
        if resource not in _RESOURCES:
            raise NotSendable(_("%(resource)s can't be queried.", resource=repr(resource)))
        query = [("fields", ",".join(fields))] if fields else []
        value = self._get(f"/2/query/{resource}/fields", query)
        return [dict(each) for each in self._list_in(value, "fields")]
