"""What a page shows is removed while the page is made, before each of the questions that it asks of the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.urls import reverse

from clusters.models import Cluster, Job, Node
from permissions.models import Team, User
from tests.fixtures.kept import signed_in
from tests.pages.test_every_url import ONLY_POSTED, URLS, label, made, people  # noqa: F401 (fixtures)
from tests.permissions.matrix import WHERE
from virtualmachines.models import VirtualMachine

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.alike]
OF_OBJECTS = [(name, where) for name, where in URLS if where and name not in ONLY_POSTED]
#: The first questions are about the session and the person of it.
OF_WHO_LOOKS = 2


class RemoveBefore:
    """Has everything removed before one of the questions, by its number from one; `asked` counts them."""

    def __init__(self, number: int) -> None:
        self.number, self.asked, self._is_removing = number, 0, False

    def __call__(self, execute: Callable[..., Any], *question: Any) -> Any:
        if not self._is_removing:
            self.asked += 1
            if self.asked == self.number:
                self._is_removing = True
                remove_all()
                self._is_removing = False
        return execute(*question)


def remove_all() -> None:
    """All that the pages are about and that belongs to it, but nobody who looks; nothing of it is ever committed."""
    with connection.cursor() as cursor:
        for model in (VirtualMachine, Node, Job, Cluster, Team, Group):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 (our own names)
        cursor.execute(f"DELETE FROM {User._meta.db_table} WHERE username = 'somebody'")  # noqa: S608


@pytest.mark.parametrize(("name", "where"), OF_OBJECTS, ids=label)
def test_what_vanishes_meanwhile_is_shown_as_it_was_or_not_there(
    people: dict[str, str],  # noqa: F811
    name: str,
    where: dict[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, url, number = signed_in(people["root"]), reverse(name, kwargs=where), OF_WHO_LOOKS
    answers = set()
    while True:
        number += 1
        removing = RemoveBefore(number)
        before = transaction.savepoint()
        with connection.execute_wrapper(removing), caplog.at_level(logging.CRITICAL):
            answers.add(client.get(url).status_code)
        transaction.savepoint_rollback(before)
        if removing.asked < number:
            break
    assert answers <= {200, 302, 401, 403, 404, 405, 409}, number
    assert number > OF_WHO_LOOKS


def test_it_is_said(people: dict[str, str]) -> None:  # noqa: F811
    client = signed_in(people["root"])
    url = reverse("vm-parameters", kwargs=WHERE["vm-parameters"])
    words, number = "", OF_WHO_LOOKS
    while "There is nothing here any more" not in words:
        number += 1
        removing = RemoveBefore(number)
        before = transaction.savepoint()
        with connection.execute_wrapper(removing):
            words = client.get(url).content.decode()
        transaction.savepoint_rollback(before)
        assert removing.asked >= number, words
    assert "What was done to it is in the journal." in words
