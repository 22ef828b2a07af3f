"""Ganeti's own handlers of its remote API, in a process of its Python: they judge requests, and send nothing on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Each line is a request: method, path and body. Each answer: the status, what was said, and the calls that followed.
_PROGRAM = """
import base64, json, sys
sys.path.insert(0, "/usr/share/ganeti/default")
from ganeti import errors, http, rapi
from ganeti.http import auth
from ganeti.rapi import testutils

calls = testutils._LuxiCallRecorder()
user = auth.PasswordFileUser("a", "b", [rapi.RAPI_ACCESS_WRITE])
server = testutils._RapiMock(lambda name: user, calls)
for line in sys.stdin:
    method, path, body = json.loads(line)
    text = "Authorization: Basic " + base64.b64encode(b"a:b").decode()
    if body:
        text += "\\nContent-Type: application/json\\nContent-Length: %d" % len(body)
    calls.CalledNames().clear()
    try:
        code, _, said = server.FetchResponse(path, method, http.ParseHeaders(testutils.StringIO(text)), body)
        said = said.decode() if isinstance(said, bytes) else said
    except errors.RapiTestResult:
        code, said = 200, ""
    print(json.dumps([code, said, sorted(calls.CalledNames())]), flush=True)
"""
#: gives what Ganeti has against a request, or nothing when it would have made a job of it
Judge = Callable[[str, str, str], str]


@contextmanager
def judging() -> Iterator[Judge]:
    """A judge, until it is no longer needed."""
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        questions, answers = process.stdin, process.stdout

        def judge(method: str, path: str, body: str) -> str:
            questions.write(json.dumps([method, path, body]) + "\n")
            questions.flush()
            code, said, calls = json.loads(answers.readline())
            return "" if code == 200 and calls == ["SubmitJob"] else f"{code} {said} {calls}"

        yield judge
        questions.close()
