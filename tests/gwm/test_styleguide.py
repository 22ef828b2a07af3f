"""The style guide shows every part, to staff."""

import re
from itertools import pairwise

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from gwm.views.styleguide import sample_context, styleguide
from permissions.models import User

PARTS = ("banner", "bar", "btn", "card", "chip", "console", "empty", "facts", "field-error", "fresh", "log", "menu")


@pytest.fixture
def request_():
    request = RequestFactory().get("/styleguide/")
    request.session = SessionStore()
    return request


@pytest.mark.feature("G026")
@pytest.mark.django_db
def test_it_shows_every_part(request_):
    request_.user = User.objects.create(username="eve", is_superuser=True)
    html = render_to_string("gwm/styleguide.html", sample_context(timezone.now()), request_)
    classes = {name for value in re.findall(r'class="([^"]*)"', html) for name in value.split()}
    assert set(PARTS) <= classes
    for name in ("Name and size", "Operating system", "Disk", "Network card", "Placement", "Hypervisor", "Options"):
        assert f"<h2>{name}</h2>" in html
    headings = [int(level) for level in re.findall(r"<h([1-6])", html.split("<main")[1].split("</main>")[0])]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings)), "no level is left out"
    identities = re.findall(r'\sid="([^"]+)"', html)
    assert len(identities) == len(set(identities))


@pytest.mark.django_db
def test_only_staff_see_it(request_):
    request_.user = User(username="joe")
    with pytest.raises(PermissionDenied, match="staff"):
        styleguide(request_)
