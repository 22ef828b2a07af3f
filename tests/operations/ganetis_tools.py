"""Ganeti's own command line and handlers, in a process of its Python: which opcodes a command makes, and which a call.

Commands run to where they would be sent, with a cluster behind them in which whatever they ask for is there.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

# Each line is a call and a command: method, path, body, command. Each answer: what the handler said against the call,
# its opcodes, what the command line said against the command, its opcodes.
_PROGRAM = """
import base64, io, json, shlex, sys
sys.path.insert(0, "/usr/share/ganeti/default")
from ganeti import cli, errors, http, rapi
from ganeti.client import gnt_backup, gnt_cluster, gnt_instance
from ganeti.http import auth
from ganeti.rapi import baserlib, testutils

TOOLS = {"gnt-instance": gnt_instance, "gnt-backup": gnt_backup, "gnt-cluster": gnt_cluster}
THERE = {"name": "vm1.example.org", "status": "running", "admin_state": "up", "oper_state": True}
kept = []


def keep(op, *_more, **_options):
    op.Validate(True)
    kept.append(op.__getstate__())
    return []


class Client:
    def QueryInstances(self, names, fields, _locking):
        return [[THERE[field] for field in fields] for _name in names or [""]]

    QueryNodes = QueryInstances

    def QueryClusterInfo(self):
        return {"enabled_disk_templates": ["plain"], "default_iallocator": "hail"}


class Executor:
    def __init__(self, *_all, **_options):
        pass

    def QueueJob(self, _name, *ops):
        for op in ops:
            keep(op)

    def WaitOrShow(self, _wait):
        return []


for module in (cli, *TOOLS.values()):
    for name in ("SubmitOpCode", "SubmitOrSend"):
        setattr(module, name, keep)
    module.GetClient = lambda *_all, **_options: Client()
    module.JobExecutor = Executor
    module.AskUser = module.ConfirmOperation = lambda *_all, **_options: True


def carry_out(command):
    words = shlex.split(command)
    tool = TOOLS[words[0]]
    for _function, _arguments, options, *_help in tool.commands.values():
        for option in options:  # parsing adds to the default itself, for it was made for one command a process
            if isinstance(option.default, list):
                option.default = []
    known = getattr(tool, "aliases", {}), getattr(tool, "_ENV_OVERRIDE", frozenset())
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = said = io.StringIO()
    try:
        function, options, arguments = cli._ParseArgs(words[0], words, tool.commands, *known)
        if function is None:
            return "%s: %s" % (command, said.getvalue())
        options.tag_type = "cluster" if tool is gnt_cluster else "instance"
        function(options, arguments)
    except (SystemExit, errors.GenericError) as error:
        return "%s: %s %s" % (command, error, said.getvalue())
    finally:
        sys.stdout, sys.stderr = streams
    return ""


def submit(_self, ops, cl=None):
    for op in ops:
        keep(op)
    raise errors.RapiTestResult("")


baserlib.ResourceBase.SubmitJob = submit
user = auth.PasswordFileUser("a", "b", [rapi.RAPI_ACCESS_WRITE])
server = testutils._RapiMock(lambda name: user, testutils._LuxiCallRecorder())


def call(method, path, body):
    text = "Authorization: Basic " + base64.b64encode(b"a:b").decode()
    if body:
        text += "\\nContent-Type: application/json\\nContent-Length: %d" % len(body)
    try:
        code, _, said = server.FetchResponse(path, method, http.ParseHeaders(testutils.StringIO(text)), body)
    except errors.RapiTestResult:
        return ""
    return "%s %s" % (code, said)


for line in sys.stdin:
    method, path, body, commands = json.loads(line)
    kept.clear()
    against_call, called = call(method, path, body), list(kept)
    kept.clear()
    against = [carry_out(command) for command in commands.split(" && ")]
    print(json.dumps([against_call, called, "".join(against), kept], default=str), flush=True)
"""
# What only says who asked, and how it is waited for.
_BESIDE = {"reason", "debug_level", "priority", "depends", "comment", "dry_run"}


class Made(NamedTuple):
    """What Ganeti makes of a call and of a command: what it has against them, and their opcodes."""

    against_call: str
    called: list[dict[str, Any]]
    against_command: str
    commanded: list[dict[str, Any]]


#: from method, path and body of a call, and the command that is to do the same
Tools = Callable[[str, str, str, str], Made]


def _alike(value: Any) -> Any:
    """The last of disks or network cards is -1, however that is written, and nothing private is none."""
    if isinstance(value, list) and len(value) == 3 and value[1] == "-1":
        return [value[0], -1, value[2]]
    return [_alike(each) for each in value] if isinstance(value, list) else value


def _told(opcodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what is not said; of whether an OS is installed the command line always says that it is."""
    opcodes = [{**opcode, "no_install": opcode.get("no_install") or None} for opcode in opcodes]
    return [
        {
            name: _alike(value)
            for name, value in opcode.items()
            if name not in _BESIDE and value not in (None, {}, [], "")
        }
        for opcode in opcodes
    ]


@contextmanager
def at_work() -> Iterator[Tools]:
    """Ganeti's tools, until they are no longer needed."""
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        questions, answers = process.stdin, process.stdout

        def ask(method: str, path: str, body: str, command: str) -> Made:
            questions.write(json.dumps([method, path, body, command]) + "\n")
            questions.flush()
            against_call, called, against_command, commanded = json.loads(answers.readline())
            return Made(against_call, _told(called), against_command, _told(commanded))

        yield ask
        questions.close()
