"""The queue in files loses no message and stops no worker, however writers and readers meet."""

import fcntl
import os
import resource
import threading
import time
from queue import Empty

import pytest
from kombu import Connection

from gwm import queue_files


@pytest.fixture
def connect(tmp_path):
    queue_files.register()
    queue_files.Transport.global_state.clear()  # kombu remembers across connections what is bound, whatever the folder
    folders = {name: str(tmp_path / name) for name in ("messages", "processed", "control")}
    for folder in folders.values():
        (tmp_path / folder).mkdir()
    options = {
        "data_folder_in": folders["messages"],
        "data_folder_out": folders["messages"],
        "processed_folder": folders["processed"],
        "control_folder": folders["control"],
    }
    connections = []

    def make():
        connections.append(Connection(f"{queue_files.SCHEME}://localhost//", transport_options=options))
        return connections[-1].SimpleQueue("gwm")

    yield make
    for connection in connections:
        connection.release()


def test_every_message_arrives_whole_and_once(connect):
    count, found = 300, []

    def write():
        queue = connect()
        for number in range(count):
            queue.put({"number": number, "ballast": "x" * 5000})

    writer = threading.Thread(target=write)
    queue = connect()
    writer.start()
    while len(found) < count:
        try:
            message = queue.get(timeout=120)
        except Empty:
            break
        found.append(message.payload["number"])
        message.ack()
    writer.join()
    assert sorted(found) == list(range(count))


def test_an_unreadable_message_is_dropped(connect, tmp_path):
    queue = connect()
    (tmp_path / "messages" / "000000000000001_x.gwm.msg").write_text("")
    queue.put({"number": 1})
    assert queue.get(timeout=120).payload == {"number": 1}


GARBAGE = [b"", b"[[", b"null", b"7", b'{"a": 1}', b'["abc"]', b"[[1]]", b"\xff\xfe\x00", b'[["gwm", "", "gwm"]']


@pytest.mark.parametrize("garbage", GARBAGE)
def test_an_unreadable_table_of_bindings_is_made_anew(connect, tmp_path, garbage):
    table = tmp_path / "control" / "gwm.exchange"
    table.write_bytes(garbage)
    queue = connect()
    queue.put({"number": 1})
    assert queue.get(timeout=120).payload == {"number": 1}
    assert b'"gwm"' in table.read_bytes()
    table.write_bytes(garbage)  # under a worker that runs
    queue_files.Transport.global_state.clear()
    again = connect()
    again.put({"number": 2})
    assert again.get(timeout=120).payload == {"number": 2}


def test_bindings_are_kept_and_taken_away(connect, tmp_path):
    first, second = connect(), connect()
    channel = first.channel
    channel._queue_bind("news", "key", "pattern", "one")
    channel._queue_bind("news", "key", "pattern", "two")
    channel._queue_bind("news", "key", "pattern", "two")
    assert [row.queue for row in second.channel.get_table("news")] == ["two", "one"]
    channel._delete("two", "news", "key", "pattern")
    channel._delete("two", "news", "key", "pattern")
    assert [row.queue for row in second.channel.get_table("news")] == ["one"]
    assert not list((tmp_path / "control").glob("*.unfinished"))


def test_two_processes_change_a_table_one_after_the_other(connect, tmp_path):
    """Each reads it, changes it and writes all of it: without a lock one binding would be lost."""
    channel, done = connect().channel, threading.Event()
    channel._queue_bind("news", "", "", "one")

    def bind():
        channel._queue_bind("news", "", "", "two")
        done.set()

    binder = threading.Thread(target=bind)
    with (tmp_path / "control" / "news.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        binder.start()
        assert not done.wait(0.5)
    assert done.wait(120)
    binder.join()
    assert {row.queue for row in channel.get_table("news")} == {"one", "two"}


def test_a_message_that_finds_no_room_leaves_nothing(connect, tmp_path):
    queue = connect()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            queue.put({"ballast": "x" * 5000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "messages").iterdir()) == []
    queue.put({"ballast": ""})
    assert len(list((tmp_path / "messages").iterdir())) == 1


def test_what_a_killed_writer_left_is_removed(tmp_path):
    for name, age_s in {"old.gwm.msg.unfinished": 3600, "new.gwm.msg.unfinished": 0, "old.gwm.msg": 3600}.items():
        file = tmp_path / "messages" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("{")
        os.utime(file, times=(time.time() - age_s,) * 2)
    queue_files.remove_unfinished(tmp_path)
    assert sorted(file.name for file in tmp_path.rglob("*.*")) == ["new.gwm.msg.unfinished", "old.gwm.msg"]
