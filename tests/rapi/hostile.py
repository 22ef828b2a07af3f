"""Answers that no Ganeti gives, each with what the client is to make of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rapi.errors import Garbled, RapiError, TimedOut, Unreachable
from tests.rapi.conftest import INFO
from tests.rapi.edge import Behaviour, Handler, raw

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
BODY = json.dumps(INFO).encode()


@dataclass(frozen=True)
class Fault:
    """What the server does; ``kinds`` are the errors that say so."""

    behaviour: Behaviour
    kinds: tuple[type[RapiError], ...]


def sends(*pieces: bytes, is_farewell: bool = False) -> Behaviour:
    """These bytes, then the end of the connection, said in TLS or not."""

    def behave(handler: Handler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
        if is_farewell:
            handler.connection.unwrap()  # type: ignore[attr-defined]

    return behave


def repeats(start: bytes, piece: bytes) -> Behaviour:
    """This again and again, as fast as it goes."""

    def behave(handler: Handler) -> None:
        handler.wfile.write(start)
        while not handler.server.edge.released.is_set():
            handler.wfile.write(piece)

    return behave


def drips(start: bytes, pieces: Callable[[], Iterator[bytes]]) -> Behaviour:
    """Piece after piece, each well within the read time-out."""

    def behave(handler: Handler) -> None:
        handler.wfile.write(start)
        for piece in pieces():
            if handler.server.edge.released.wait(0.03):
                return
            handler.wfile.write(piece)

    return behave


def forever(piece: bytes) -> Callable[[], Iterator[bytes]]:
    """The same piece without end."""

    def pieces() -> Iterator[bytes]:
        while True:
            yield piece

    return pieces


def letters(text: bytes) -> Callable[[], Iterator[bytes]]:
    """A text byte by byte."""
    return lambda: (text[i : i + 1] for i in range(len(text)))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


LONG_HEAD = OK + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 50) for number in range(90))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_END = OK + b"Content-Type: application/json\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\n"
# unfolds to 400 MiB, which is more than a call may take in memory
BOMB = gzip.compress(b"[") + 10 * gzip.compress(b" " * (40 * MIB)) + gzip.compress(b"]")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

CUT = (Unreachable,)
SLOW = (TimedOut,)
ODD = (Garbled,)

FAULTS: dict[str, Fault] = {
    "no answer": Fault(sends(), CUT),
    "cut in the first line": Fault(sends(b"HTTP/1.1 20"), CUT),
    "cut in the head": Fault(sends(OK, b"Content-Le"), CUT),
    "cut in the body": Fault(sends(OK, b"Content-Length: 900\r\n\r\n", BODY[:20]), CUT),
    "cut in a chunk": Fault(sends(CHUNKED, b"ff\r\n{"), CUT),
    "cut between chunks": Fault(sends(CHUNKED, chunk(BODY)), CUT),
    "cut in TLS": Fault(sends(UNTIL_END, b"12"), CUT),
    "slow head": Fault(drips(b"", letters(LONG_HEAD)), SLOW),
    "slow headers": Fault(drips(OK, forever(b"X: y\r\n")), SLOW),
    "slow 100 Continue": Fault(drips(b"", forever(CONTINUE)), SLOW),
    "slow body": Fault(drips(OK + b"Content-Length: 99999\r\n\r\n", forever(b" ")), SLOW),
    "slow body without a length": Fault(drips(UNTIL_END, forever(b" ")), SLOW),
    "slow body of a server that will close": Fault(
        drips(OK + b"Connection: close\r\nContent-Length: 99999\r\n\r\n", forever(b" ")), SLOW
    ),
    "slow chunks": Fault(drips(CHUNKED, forever(chunk(b" "))), SLOW),
    "slow trailers": Fault(drips(CHUNKED + b"0\r\n", forever(b"X: y\r\n")), SLOW),
    "endless first line": Fault(repeats(b"HTTP/1.1 200 ", b"a" * 9000), ODD),
    "endless header": Fault(repeats(OK + b"X: ", b"a" * 9000), ODD),
    "endless headers": Fault(repeats(OK, b"X: y\r\n" * 50), ODD),
    "endless 100 Continue": Fault(repeats(b"", CONTINUE * 50), ODD),
    "endless body": Fault(repeats(UNTIL_END, b" " * 60_000), ODD),
    "endless chunks": Fault(repeats(CHUNKED, chunk(b" " * 60_000)), ODD),
    "endless trailers": Fault(repeats(CHUNKED + b"0\r\n", b"X: y\r\n" * 5000), (Garbled, TimedOut)),
    "huge": Fault(raw(b"[" + b" " * (9 * MIB) + b"]"), ODD),
    "huge refusal": Fault(raw(b"[" + b" " * (9 * MIB) + b"]", 500), ODD),
    "redirect": Fault(raw(b"", 302, Location="/2/info"), ODD),
    "redirect with an endless body": Fault(
        repeats(b"HTTP/1.1 302 Found\r\nLocation: /2/info\r\n\r\n", b" " * 60_000), ODD
    ),
    "redirect with a bomb": Fault(raw(BOMB, 302, Location="/2/info", Content_Encoding="gzip"), ODD),
    "compressed bomb": Fault(raw(BOMB, 200, Content_Encoding="gzip"), ODD),
    "compressed refusal": Fault(raw(BOMB, 500, Content_Encoding="gzip"), ODD),
    "too short a length": Fault(sends(OK, b"Content-Length: 5\r\n\r\n", BODY), ODD),
    "a negative length": Fault(sends(OK, b"Content-Length: -5\r\n\r\n", BODY, is_farewell=True), ODD),
    "a length of many digits": Fault(
        sends(OK, b"Content-Length: %s\r\n\r\n" % (b"9" * 5000), BODY, is_farewell=True), ODD
    ),
    "a length that is a word": Fault(sends(OK, b"Content-Length: \xb2\r\n\r\n", BODY, is_farewell=True), ODD),
    "two lengths": Fault(sends(OK, b"Content-Length: 5, 6\r\n\r\n", BODY), ODD),
    "a chunk of no size": Fault(sends(CHUNKED, b"zz\r\n", BODY, is_farewell=True), CUT),
    "a chunk of negative size": Fault(sends(CHUNKED, b"-5\r\n", BODY, is_farewell=True), (Garbled, Unreachable)),
    "not HTTP": Fault(sends(b"SSH-2.0-OpenSSH_9.2\r\n", is_farewell=True), ODD),
    "a status of letters": Fault(sends(b"HTTP/1.1 abc OK\r\n\r\n", is_farewell=True), ODD),
    "deep nesting": Fault(raw(b"[" * 200 + b"]" * 200), ODD),
    "very deep nesting": Fault(raw(b"[" * 300_000 + b"]" * 300_000), ODD),
    "deep nesting of objects": Fault(raw(b'{"a":[' * 150 + b"]}" * 150), ODD),
    "many empty lists": Fault(raw(b"[" + b"[]," * (7 * MIB // 3) + b"[]]"), ODD),
    "many empty objects": Fault(raw(b"[" + b"{}," * (7 * MIB // 3) + b"{}]"), ODD),
    "many small objects": Fault(raw(b"[" + b'{"":0},' * MIB + b"0]"), ODD),
    "many numbers": Fault(raw(b"[" + b"1," * (7 * MIB // 2) + b"1]"), ODD),
    "a number of many digits": Fault(raw(b"9" * 5000), ODD),
    "a number above 64 bits": Fault(raw(b"9223372036854775808"), ODD),
    "a number below 64 bits": Fault(raw(b"-9223372036854775809"), ODD),
    "a number of no end": Fault(raw(b"1e999"), ODD),
    "NaN": Fault(raw(b"NaN"), ODD),
    "Infinity": Fault(raw(b"-Infinity"), ODD),
    "invalid UTF-8": Fault(raw(b'"f\xfcr"'), ODD),
    "UTF-16": Fault(raw(json.dumps(INFO).encode("utf-16")), ODD),
    "a BOM": Fault(raw(b"\xef\xbb\xbf" + BODY), ODD),
    "NUL": Fault(raw(b"\0" * 1000), ODD),
    "nothing": Fault(raw(b""), ODD),
    "HTML": Fault(raw(b"<html>It works!</html>"), ODD),
    "half of JSON": Fault(raw(BODY[:-1]), ODD),
}
