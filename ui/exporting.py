"""Lists as files: CSV for spreadsheets, JSON for programs, as a whole or line by line.

A long one is read and sent in pieces, so that memory does not grow with it. The keys of its rows are read first, in one
query: nothing is held open in the database while it is sent, and no row comes twice.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _

FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "jsonl": "application/x-ndjson"}
# So many rows are in one file at most.
MOST = 250_000
# So many are read at a time; a file of no more is sent as a whole.
PIECE = 1000
# Programs read them, whoever's language the page is in.
_LANGUAGE = None
# A spreadsheet takes a cell that begins so for a formula; some do where these signs are as wide as East Asian letters.
_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

# What a file says of each row, by the name that programs know it by.
Cells = Mapping[str, Callable[[Any], Any]]


def is_file_wanted(request: HttpRequest) -> bool:
    """Whether the URL asks for a file."""
    return request.GET.get("format", "") in FORMATS


def export(request: HttpRequest, name: str, rows: Any, cells: Cells) -> HttpResponseBase | None:
    """A file of `rows` (a query in its order, or a list) if the URL asks for one: `format` is csv or json."""
    if not is_file_wanted(request):
        return None
    wanted = request.GET["format"]
    with translation.override(_LANGUAGE):
        pieces, is_long, is_complete = _read(rows)
    values = ([cell(row) for cell in cells.values()] for piece in pieces for row in piece)
    write = {"csv": _write_csv, "json": _write_json, "jsonl": _write_lines}[wanted]
    text = _in_one_language(write(name, list(cells), values, is_complete))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{wanted}"'}
    if is_long:
        return StreamingHttpResponse(_join(text), content_type=FORMATS[wanted], headers=headers)
    return HttpResponse("".join(text), content_type=FORMATS[wanted], headers=headers)


def _in_one_language(text: Iterator[str]) -> Iterator[str]:
    """The same, made in the language of files: a long one is made when the page's language is over."""
    while True:
        with translation.override(_LANGUAGE):
            piece = next(text, None)
        if piece is None:
            return
        yield piece


def _read(rows: Any) -> tuple[Iterable[Iterable[Any]], bool, bool]:
    """The rows in pieces; whether there is more than one; whether these are all."""
    if isinstance(rows, list | range):
        return _in_pieces(rows[:MOST]), len(rows) > PIECE, len(rows) <= MOST
    first = list(rows[: PIECE + 1])
    if len(first) <= PIECE:
        return [first], False, True
    keys = list(rows.values_list("pk", flat=True)[: MOST + 1])
    return _read_by_keys(rows, keys[:MOST]), True, len(keys) <= MOST


def _read_by_keys(rows: Any, keys: list[Any]) -> Iterator[Iterable[Any]]:
    """The rows with these keys, in their order; one that is gone meanwhile is left out."""
    unordered = rows.order_by()
    for piece in _in_pieces(keys):
        found = {row.pk: row for row in unordered.filter(pk__in=piece)}
        yield [found[key] for key in piece if key in found]


def _in_pieces(values: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(values)
    while piece := list(islice(left, PIECE)):
        yield piece


def _join(text: Iterator[str]) -> Iterator[str]:
    """The same in fewer pieces: each is a call of the server."""
    for pieces in _in_pieces(text):
        yield "".join(pieces)


def safe_cell(value: object) -> str:
    """The value as a cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text


def _write_csv(name: str, header: list[str], rows: Iterable[list[Any]], is_complete: bool) -> Iterator[str]:
    """Line by line; where rows are missing the last line says so."""
    yield _line(header)
    for row in rows:
        yield _line([_as_text(value) for value in row])
    if not is_complete:
        yield _line([_("Only the first %(count)s rows are in this file.") % {"count": MOST}])


def _line(cells: Iterable[object]) -> str:
    written = StringIO()
    csv.writer(written).writerow([safe_cell(each) for each in cells])
    return written.getvalue()


def _as_text(value: Any) -> Any:
    """A value in a cell: nothing for what is not known, words in a row, times as programs read them."""
    if isinstance(value, list | tuple):
        texts = [str(each) for each in value]
        return ("; " if any(" " in text for text in texts) else " ").join(texts)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value


def _write_lines(name: str, header: list[str], rows: Iterable[list[Any]], is_complete: bool) -> Iterator[str]:
    """An object a line, to be read one by one; where rows are missing a last one says so."""
    writer = DjangoJSONEncoder(ensure_ascii=False)
    for row in rows:
        yield f"{writer.encode(dict(zip(header, row, strict=True)))}\n"
    if not is_complete:
        yield f"{writer.encode({'complete': False})}\n"


def _write_json(name: str, header: list[str], rows: Iterable[list[Any]], is_complete: bool) -> Iterator[str]:
    """Object by object, and whether these are all."""
    writer = DjangoJSONEncoder(ensure_ascii=False)
    yield f'{{"{name}": ['
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n {writer.encode(dict(zip(header, row, strict=True)))}"
    yield f'\n], "complete": {"true" if is_complete else "false"}}}\n'
