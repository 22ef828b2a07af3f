"""Lists as files: CSV for spreadsheets, JSON for programs."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

FORMATS = ("csv", "json")
# So many rows are in one file at most.
MOST = 10_000
# A spreadsheet takes a cell that begins so for a formula.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """The value as a cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text


def as_csv(name: str, header: Sequence[object], rows: Iterable[Iterable[object]], *, is_complete: bool) -> HttpResponse:
    """A file of cells; where rows are missing the last line says so."""
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow([safe_cell(each) for each in header])
    writer.writerows([safe_cell(each) for each in row] for row in rows)
    if not is_complete:
        writer.writerow([_("Only the first %(count)s rows are in this file.") % {"count": MOST}])
    return _file(f"{name}.csv", "text/csv; charset=utf-8", written.getvalue())


def as_json(name: str, rows: list[dict[str, Any]], *, is_complete: bool) -> HttpResponse:
    """A file of objects, which says whether it has them all."""
    text = json.dumps({name: rows, "complete": is_complete}, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    return _file(f"{name}.json", "application/json", text)


# The columns of a file, by the name that programs know them by.
Cells = Mapping[str, Callable[[Any], Any]]


def export(request: HttpRequest, name: str, rows: Any, cells: Cells) -> HttpResponse | None:
    """A file of `rows` (a query in its order, or a list) if the address asks for one: `format` is csv or json."""
    wanted = request.GET.get("format", "")
    if wanted not in FORMATS:
        return None
    found = list(rows[: MOST + 1])
    is_complete, values = len(found) <= MOST, [[cell(row) for cell in cells.values()] for row in found[:MOST]]
    if wanted == "json":
        return as_json(name, [dict(zip(cells, each, strict=True)) for each in values], is_complete=is_complete)
    return as_csv(name, list(cells), (map(_as_text, each) for each in values), is_complete=is_complete)


def _as_text(value: Any) -> Any:
    """A value in a cell: nothing for what is not known, words in a row, times as programs read them."""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value


def _file(name: str, content_type: str, text: str) -> HttpResponse:
    return HttpResponse(
        text, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
