"""Files while an administrator looks at the pages as somebody else sees them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from objectlog.models import Event
from tests.permissions.matrix import PAGES, WHERE
from tests.permissions.test_matrix import World, made, world

__all__ = ["made", "world"]
pytestmark = [pytest.mark.django_db, pytest.mark.feature("G017")]


@pytest.mark.alike
def test_a_file_is_as_the_other_would_get_it_and_says_so(world: World) -> None:
    """Every address there is, with each format there is: who looks gets no more by it, and nothing is written down."""
    theirs, own, looks = world.client("c_admin"), world.client("root"), Client()
    looks.force_login(world.users["root"])
    looks.post("/view-as/", {"who": "c_admin"})
    addresses = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    before, files, other = Event.objects.count(), 0, 0
    for name in PAGES:
        if name in ("logout", "view-as-stop") or name not in addresses or PAGES[name].method != "get":
            continue
        for wanted in ("csv", "jsonl"):
            url = f"{reverse(name, kwargs=WHERE.get(name))}?format={wanted}"
            answer = theirs.get(url)
            named = answer.headers.get("Content-Disposition", "")
            if not named:
                break
            seen = looks.get(url)
            assert (seen.status_code, body(seen)) == (answer.status_code, body(answer)), url
            assert seen.headers["Content-Disposition"] == named.replace(f".{wanted}", f"-as-seen-by-c_admin.{wanted}")
            files += 1
            other += wanted == "csv" and body(seen) != body(own.get(url))
    assert files >= 2 * 10 and other >= 5, (files, other)
    assert Event.objects.count() == before, "that it began stands there already"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)
