"""Lists as files: CSV for spreadsheets, JSON for programs."""

import csv
import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
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


def as_csv(name: str, header: Sequence[object], rows: Iterable[Sequence[object]], *, is_complete: bool) -> HttpResponse:
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


def _file(name: str, content_type: str, text: str) -> HttpResponse:
    return HttpResponse(
        text, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
