"""What concerns each host is told to every worker, and all else to one of them."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest
from celery import Celery

from gwm.celery import TIMETABLE, describe_celery
from tests.processes.commands import PATIENCE_S


def app_of(settings: Any, url: str) -> Celery:
    settings.REDIS_URL = url
    app = Celery("another", set_as_current=False)
    app.add_defaults(describe_celery)
    return app


@pytest.mark.redis
@pytest.mark.parametrize(("task", "times"), [("close_consoles_without_right", 2), ("record_heartbeat", 1)])
def test_of_two_workers_both_close_consoles_and_one_does_the_rest(
    settings: Any, redis_url: str, task: str, times: int
) -> None:
    app = app_of(settings, redis_url)
    heard: list[int] = []
    with ExitStack() as opened:
        connections = [opened.enter_context(app.connection_for_read()) for _worker in range(2)]
        for number, connection in enumerate(connections):

            def take(_body: Any, message: Any, number: int = number) -> None:
                heard.append(number)
                message.ack()

            consumer = app.amqp.TaskConsumer(connection.channel())
            consumer.callbacks = [take]
            opened.enter_context(consumer)
        for connection in connections:
            drain(connection)
        app.send_task(f"gwm.tasks.{task}")
        end = time.monotonic() + PATIENCE_S
        while len(heard) < times and time.monotonic() < end:
            for connection in connections:
                drain(connection)
        for connection in connections:  # nobody hears it once more
            drain(connection)
    assert len(heard) == len(set(heard)) == times


def drain(connection: Any) -> None:
    try:
        while True:
            connection.drain_events(timeout=0.3)
    except TimeoutError:
        return


def test_without_redis_there_is_one_host_and_one_queue(settings: Any) -> None:
    app = app_of(settings, "")
    assert list(app.amqp.queues) == [app.conf.task_default_queue]
    assert "gwm.tasks.close_consoles_without_right" in {entry["task"] for entry in TIMETABLE.values()}
