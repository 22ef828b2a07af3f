"""The journal on its way to a file or to syslog: each event once and in order, whatever was in the way meanwhile."""

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from gwm.tasks import seal_journal
from objectlog.canonical import is_sealed_by, list_keys, write_text
from objectlog.chain import cut, delete_cut, find_streamed, seal_all
from objectlog.models import ChainEnd, Event, Outcome
from objectlog.sinks import BAD, BadAddress, Sealed, StreamSink, make_sink
from objectlog.streaming import BATCH, Unreachable, stream_all
from objectlog.verification import Verification
from simulator.certificate import local_certificate
from tests.factories import make_admin
from tests.journal.conftest import WEB, write

pytestmark = [pytest.mark.django_db, pytest.mark.feature("G018")]
_RFC5424 = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<at>\S+) (?P<host>[\x21-\x7e]{1,255}) gwm - (?P<verb>[\x21-\x7e]{1,32}) "
    rb'\[gwm@32473(?P<sd>(?: [a-z_]+="(?:[^"\\\]]|\\["\\\]])*")+)\] \xef\xbb\xbf(?P<words>.*)',
    re.DOTALL,
)


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.GWM_JOURNAL_STREAM = f"file://{tmp_path}/journal.jsonl"
    return tmp_path / "journal.jsonl"


def test_a_file_has_each_sealed_event_once_in_order_and_can_be_verified(file: Path) -> None:
    for number in range(3):
        write(why=f"reason {number}", outcome=Outcome.FAILED)
    assert stream_all() == 0 and not file.exists(), "what is not sealed may still be undone"
    seal_all()
    assert stream_all() == 3
    write()
    seal_all()
    assert stream_all() == 1 and stream_all() == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    for line in lines:
        event = {name: value for name, value in line["event"].items() if name != "version"}
        assert is_sealed_by(list_keys(), line["seal"], line["previous"], write_text(event))
    assert [line["previous"] for line in lines[1:]] == [line["seal"] for line in lines[:-1]]


def test_more_than_one_batch_goes(file: Path) -> None:
    Event.objects.bulk_create(
        Event(at=timezone.now(), number=number, seal="s", verb="x", outcome="done", said="x", text="{}")
        for number in range(1, 2 * BATCH + 2)
    )
    assert stream_all() == 2 * BATCH + 1 == len(file.read_text().splitlines()) == find_streamed()


def test_a_file_that_was_rotated_is_made_anew(file: Path) -> None:
    for name in ("first", "second"):
        write(why=name)
        seal_all()
        assert stream_all() == 1
        file.rename(file.with_name(name))
    assert len(file.with_name("second").read_text().splitlines()) == 1


def test_what_could_not_be_sent_is_sent_later_and_never_removed_before(file: Path, time_machine: Any) -> None:
    time_machine.move_to("2026-01-01 12:00+00:00", tick=False)
    write()
    seal_all()
    file.mkdir()
    with pytest.raises(Unreachable, match=r"journal\.jsonl"):
        stream_all()
    assert find_streamed() == 0
    time_machine.move_to("2026-03-01 12:00+00:00", tick=False)
    assert cut(timezone.now() - timedelta(days=1)) == 0
    file.rmdir()
    assert stream_all() == 1
    assert cut(timezone.now() - timedelta(days=1)) == 1
    delete_cut()
    seal_all()
    assert list(Verification().problems()) == [] and stream_all() == 1


def test_a_worker_that_is_killed_before_it_notes_repeats_and_leaves_nothing_out(file: Path) -> None:
    for _ in range(2):
        write()
    seal_all()
    stream_all()
    ChainEnd.objects.filter(name=ChainEnd.STREAMED).update(number=1)
    assert stream_all() == 1
    assert [json.loads(line)["number"] for line in file.read_text().splitlines()] == [1, 2, 2]


def test_the_worker_sends_what_it_has_sealed(file: Path) -> None:
    write()
    seal_journal()
    call_command("stream_journal")
    assert len(file.read_text().splitlines()) == 1


def test_the_page_of_health_says_that_it_is_behind(file: Path, settings: Any, client: Any, time_machine: Any) -> None:
    """Not while events are young; whatever is in the way, how many, and since when."""
    client.force_login(make_admin())
    time_machine.move_to("2026-01-01 12:00+00:00", tick=False)

    def state() -> tuple[str, str]:
        [part] = [each for each in client.get("/health/").context["parts"] if each.name == "Journal stream"]
        return part.kind, part.detail

    assert state() == ("ok", settings.GWM_JOURNAL_STREAM)
    file.mkdir()
    for _ in range(2):
        write()
    seal_all()
    with pytest.raises(Unreachable):
        stream_all()
    assert state()[0] == "ok", "it may be sent in a moment"
    time_machine.move_to("2026-01-01 12:06+00:00", tick=False)
    kind, detail = state()
    assert kind == "warn" and "2 events not sent" in detail and "12:00" in detail
    file.rmdir()
    assert stream_all() == 2 and state()[0] == "ok"
    settings.GWM_JOURNAL_STREAM = ""
    assert "Journal stream" not in client.get("/health/").content.decode()


def test_the_command_says_what_is_in_the_way(file: Path, settings: Any) -> None:
    write()
    seal_all()
    file.mkdir()
    with pytest.raises(CommandError, match=r"journal\.jsonl"):
        call_command("stream_journal")
    settings.GWM_JOURNAL_STREAM = ""
    with pytest.raises(CommandError, match="GWM_JOURNAL_STREAM"):
        call_command("stream_journal")


class Receiver(threading.Thread):
    """Reads what one connection, or a datagram socket, brings."""

    def __init__(self, link: socket.socket, context: ssl.SSLContext | None = None) -> None:
        super().__init__(daemon=True)
        self.link, self.context, self.data = link, context, b""
        self.start()

    def run(self) -> None:
        connection, _peer = self.link.accept()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True)
        with connection:
            while piece := connection.recv(4096):
                self.data += piece


def messages_of(data: bytes) -> Iterator[bytes]:
    """By the length before each."""
    while data:
        length, _space, rest = data.partition(b" ")
        yield rest[: int(length)]
        data = rest[int(length) :]


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_syslog_server_gets_rfc_5424(settings: Any, tmp_path: Path, is_tls: bool) -> None:
    write('vm."re]boot\\', why="x")
    write(outcome=Outcome.DENIED)
    seal_all()
    context = None
    with socket.create_server(("127.0.0.1", 0)) as server:
        scheme, query = "syslog+tcp", ""
        if is_tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate = local_certificate().store(tmp_path)
            context.load_cert_chain(certificate)
            scheme, query = "syslog+tls", f"?ca={certificate}"
        receiver = Receiver(server, context)
        settings.GWM_JOURNAL_STREAM = f"{scheme}://127.0.0.1:{server.getsockname()[1]}{query}"
        assert stream_all() == 2
        receiver.join(120)
    first, second = (judge(message) for message in messages_of(receiver.data))
    assert first["pri"] == b"109" and second["pri"] == b"108", "audit: a notice, and a warning"
    assert first["at"].endswith(b"Z") and b'number="1"' in first["sd"] and b'target_name="web1"' in first["sd"]
    assert b'actor_name="alice"' in first["sd"] and first["verb"] == b'vm."re]boot\\'
    assert second["words"].decode() == Event.objects.get(number=2).said


def test_of_a_receiver_that_keeps_the_connection_it_is_said() -> None:
    """It may have read nothing: what was sent is sent again, until somebody reads why."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = StreamSink(server.getsockname(), is_tls=False, wait_s=0.1)
        with pytest.raises(TimeoutError, match="did not close the connection"):
            sink.send([Sealed(1, "", "", "{}", "")])


def judge(message: bytes) -> dict[str, bytes]:
    found = _RFC5424.fullmatch(message)
    assert found is not None, message
    return found.groupdict()


@pytest.mark.parametrize("name", ["a\nb<13>1 - - - - - - forged", 'x"] forged [', "é" * 3000, "\\", "]"])
def test_no_name_breaks_a_message(settings: Any, tmp_path: Path, name: str) -> None:
    """By a socket of this machine, in one datagram of bounded length."""
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(10)
        settings.GWM_JOURNAL_STREAM = f"syslog://{path}"
        write(outcome=Outcome.DENIED, target=type(WEB)("vm", 7, name, "lab", 1))
        seal_all()
        assert stream_all() == 1
        message = server.recv(65536)
    judge(message)
    assert len(message) <= 2048 and b"\n" not in message


def test_udp(settings: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        settings.GWM_JOURNAL_STREAM = f"syslog+udp://127.0.0.1:{server.getsockname()[1]}"
        write()
        seal_all()
        assert stream_all() == 1
        judge(server.recv(65536))


@pytest.mark.parametrize("address", ["/var/log/x", "file://host/x", "http://host", "syslog+tcp://", "syslog+tcp://h:x"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(BadAddress):
        make_sink(address)


def test_what_went_wrong_is_an_outcome() -> None:
    assert set(BAD) < set(Outcome.values) and not set(BAD) & {"done", "succeeded", "submitted"}
