"""The queue in files loses no message and stops no worker, however writers and readers meet."""

import threading
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
            message = queue.get(timeout=10)
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
    assert queue.get(timeout=10).payload == {"number": 1}
