"""Path segments, query strings and common pieces of request bodies, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rapi.errors import RapiError
from rapi.text import clean_text
from rapi.words import words as _

_SEGMENT = re.compile(r"[\w.\-]+", re.ASCII)
_TAG = re.compile(r"[\w.+*/:@\-]{1,128}", re.ASCII)

#: RAPI (up to 3.1) drops the connection when the first line of a request is longer than 8 KiB
MAX_TARGET_LENGTH = 7500
_MAX_SHOWN = 80

#: the largest that every database takes
MAX_JOB_NUMBER = 2**63 - 1
_JOB_NUMBER = re.compile(r"[0-9]{1,19}")

FinalStatus = Literal["success", "error", "canceled"]
Priority = Literal["low", "normal", "high"]
_PRIORITIES: dict[str, int] = {"low": 10, "normal": 0, "high": -10}


class NotSendable(RapiError, ValueError):
    """This can't be asked of any Ganeti, so nothing was sent: a name that would be another path, and the like."""

    kind = "not sendable"


@dataclass(frozen=True)
class Dependency:
    """Wait for another job; it must end in one of ``statuses`` (any end, if empty), or ours fails."""

    job_id: int
    statuses: tuple[FinalStatus, ...] = ("success",)


@dataclass(frozen=True)
class JobOptions:
    """What every job may carry. Handlers that ignore their body take ``depends`` alone (each method says so)."""

    depends: tuple[Dependency, ...] = ()
    priority: Priority | None = None
    comment: str | None = None

    def body(self) -> dict[str, Any]:
        """The keys of a request body that say this."""
        body: dict[str, Any] = {}
        if self.depends:
            body["depends"] = [[each.job_id, list(each.statuses)] for each in self.depends]
        if self.priority is not None:
            body["priority"] = _PRIORITIES[self.priority]
        if self.comment is not None:
            body["comment"] = self.comment
        return body


NO_OPTIONS = JobOptions()


# where a dry run is asked for in the body; Ganeti takes no notice of the other spelling there, and does what it says
_DRY_RUN_IN_BODY = re.compile(
    r"/2/(modify|redistribute-config|networks/[^/]+/modify|groups/[^/]+/modify|nodes/[^/]+/(modify|migrate)"
    r"|instances/[^/]+/(modify|migrate|failover|rename|export|recreate-disks|replace-disks|disk/[0-9]+/grow))"
)

# where it is asked for in the query, and refused in the body; all other changes know no dry run
_DRY_RUN_IN_QUERY = re.compile(
    r"/2/(tags|instances-multi-alloc|instances(/[^/]+(/(tags|reboot|shutdown|startup))?)?"
    r"|nodes/[^/]+/(evacuate|tags)|groups(/[^/]+(/(rename|assign-nodes|tags))?)?"
    r"|networks(/[^/]+(/(connect|disconnect|rename|tags))?)?)"
)


def is_dry_run(path: str, query: Sequence[tuple[str, str]], body: Any) -> bool:
    """Whether Ganeti will only check this change, and not carry it out."""
    if _DRY_RUN_IN_BODY.fullmatch(path):
        return isinstance(body, Mapping) and body.get("dry_run") is True
    return _DRY_RUN_IN_QUERY.fullmatch(path) is not None and ("dry-run", "1") in query


def depends_body(depends: Sequence[Dependency]) -> dict[str, Any]:
    """The body for handlers that heed nothing but dependencies."""
    return JobOptions(depends=tuple(depends)).body()


def check_segment(text: str) -> str:
    """A name or uuid that can stand in a path: RAPI doesn't decode %xx. Raises NotSendable."""
    if not _SEGMENT.fullmatch(text) or text in {".", ".."}:
        raise NotSendable(
            _("%(name)s can't be the name of anything in Ganeti.", name=repr(clean_text(text, _MAX_SHOWN)))
        )
    return text


def check_tags(tags: Sequence[str]) -> list[str]:
    """Tags as Ganeti takes them (it would check only in the job). Raises NotSendable."""
    if not tags:
        raise NotSendable(_("No tag given."))
    for tag in tags:
        if not _TAG.fullmatch(tag):
            shown = clean_text(tag, _MAX_SHOWN)
            raise NotSendable(
                _("%(tag)s is not a tag: letters, digits and _.+*/:@- only, at most 128.", tag=repr(shown))
            )
    return list(tags)


def job_number(value: Any) -> int | None:
    """The number of a job as an answer gives it, or None if that is none; old releases write it as a text."""
    if isinstance(value, str) and _JOB_NUMBER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_JOB_NUMBER:
        return None
    return value


def check_job_id(job_id: int) -> int:
    """A job number that can be asked for. Raises NotSendable."""
    if isinstance(job_id, bool) or not isinstance(job_id, int) or not 0 <= job_id <= MAX_JOB_NUMBER:
        raise NotSendable(_("A job id is a number."))
    return job_id


def check_choice(word: str, choices: Any) -> str:
    """The word, if it is one of a Literal's. Raises ValueError."""
    if word not in get_args(choices):
        raise NotSendable(_("%(word)s is none of %(choices)s.", word=repr(word), choices=", ".join(get_args(choices))))
    return word


def flag(name: str, value: bool) -> list[tuple[str, str]]:
    """A boolean of the query string: RAPI takes integers only, and absent is no."""
    return [(name, "1")] if value else []


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that are not None: a key that is sent at all may be refused by an older release."""
    return {key: value for key, value in values.items() if value is not None}
