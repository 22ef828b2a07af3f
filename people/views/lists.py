"""How a person wants to see a list: which columns, and how many rows on a page."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from permissions.services import keep_choice
from permissions.signed_in import person_of
from ui.listing import PAGE_SIZES
from ui.outside import is_ours
from ui.tables import TABLES, Choice, Table

# What a URL says of a list goes before what was chosen, so it has to go.
_SAID_BY_URL = ("columns", "per_page", "page")


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep one's own choice for a list, or forget it, and go back to the list."""
    table = TABLES.get(request.POST.get("list", ""))
    if table is not None:
        choice = Choice() if "reset" in request.POST else _read(request.POST, table)
        keep_choice(person_of(request), table.name, choice)
    return redirect(_way_back(request))


def _read(given: QueryDict, table: Table) -> Choice:
    """What the menu of a list says; what is as declared is not kept, so that it goes on as declared."""
    columns = tuple(column.name for column in table.choosable if column.name in given.getlist("column"))
    declared = tuple(column.name for column in table.choosable if not column.is_extra)
    size = next((each for each in PAGE_SIZES if str(each) == given.get("per_page")), None)
    return Choice(None if columns == declared else columns, size)


def _way_back(request: HttpRequest) -> str:
    """The list that one came from, without what would hide the choice; else the front page."""
    there = request.POST.get("next", "")
    if not is_ours(request, there):
        return "overview"
    parts = urlsplit(there)
    query = QueryDict(parts.query, mutable=True)
    for name in _SAID_BY_URL:
        query.pop(name, None)
    return parts._replace(query=query.urlencode()).geturl()
