"""Room for the frames of what one request, or one task, calls."""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest
from celery.app.trace import build_tracer

from gwm.celery import app
from gwm.roomy import call_with_room


def _call_often(_argument: object = None) -> int:
    """How often the system gave memory for it."""

    def leaf() -> None:
        pass

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(500):
        leaf()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _call_at(depth: int, action: Callable[[], int]) -> int:
    return action() if depth == 0 else _call_at(depth - 1, action)


def test_no_call_takes_memory_however_deep_it_is() -> None:
    most = call_with_room(lambda _: max(_call_at(depth, _call_often) for depth in range(400)), None)
    assert most < 100


def test_what_is_called_answers_and_fails_as_it_does_by_itself() -> None:
    assert call_with_room(str.upper, "yes") == "YES"
    with pytest.raises(ZeroDivisionError):
        call_with_room(lambda number: 1 / number, 0)


def test_a_task_has_room_where_the_worker_calls_it(request: pytest.FixtureRequest) -> None:
    counted: list[int] = []

    @app.task(name="tests.roomy", shared=False)
    def deep() -> None:
        counted.append(max(_call_at(depth, _call_often) for depth in range(400)))

    request.addfinalizer(lambda: app.tasks.pop("tests.roomy"))
    build_tracer(deep.name, deep, app=app)("one", (), {}, {"delivery_info": {}})
    assert counted[0] < 100
