"""The requests to an LDAP directory: bound in time and in size, over verified TLS, and errors in our own words.

django-auth-ldap knows the kinds of groups; the rest of it is not used: it finds accounts by name alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

from people.directory.described import Directory
from people.directory.wire import Unreachable, open_wire

try:
    import ldap
    from django_auth_ldap import config as library
    from ldap.controls import SimplePagedResultsControl
    from ldap.dn import dn2str, escape_dn_chars, str2dn
    from ldap.filter import escape_filter_chars
    from pyasn1.error import PyAsn1Error
except ImportError:  # without the extra no settings describe a directory (described.py)
    ldap = None

logger = getLogger("people.directory")

#: how long somebody waits who signs in, at most, however many answers it takes
_PATIENCE_S = 60
_PAGE = 100
#: an Active Directory may answer with pages in which there is nothing
_EMPTY_PAGES = 20
_MOST_GROUPS = 2000
#: of one name, or with one id: that there are two is all that counts
_TWO = 2
_LONGEST_VALUE = 4096


class NoAnswer(Exception):
    """The directory can't be asked, or will not say; the text has no secrets."""


class Untrue(Exception):
    """What it says can't be so."""


class WrongPassword(Exception):
    """Not theirs."""


@dataclass(frozen=True)
class Found:
    """An entry of somebody: what was asked for, as it came."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]] = field(repr=False)
    id: str
    groups: frozenset[str] = frozenset()

    def text(self, name: str) -> str:
        """The first value of an attribute, as text; empty if there is none or it is no text."""
        return next(iter(self.texts(name)), "")

    def texts(self, name: str) -> list[str]:
        """All of them that are texts of a length that people have."""
        found = []
        for value in self.attributes.get(name.lower(), ()):
            try:
                found.append(value.decode() if len(value) <= _LONGEST_VALUE else "")
            except UnicodeDecodeError:
                continue
        return [text.replace("\0", "").strip() for text in found if text]


@contextmanager
def connected(directory: Directory, lasts_s: int = _PATIENCE_S) -> Iterator[Any]:
    """A connection to the first server that answers, as who may search. NoAnswer, and nothing else of LDAP's."""
    link = _connect(directory, lasts_s=lasts_s)
    try:
        yield link
    except ldap.LDAPError as error:
        raise NoAnswer(_say(error)) from error
    except (UnicodeError, PyAsn1Error) as error:  # names and controls that are none
        raise NoAnswer("it does not speak LDAP") from error
    finally:
        _close(link)


def find_by_name(link: Any, directory: Directory, name: str) -> Found | None:
    """Whom somebody means who types this name. Untrue if it is not one."""
    try:
        if directory.dn_template:
            where = directory.dn_template.replace("%(user)s", escape_dn_chars(name))
            rows = _search(link, directory, where, ldap.SCOPE_BASE, _filter(directory, "*"), most=_TWO)
        else:
            filtered = _filter(directory, escape_filter_chars(name))
            rows = _search(link, directory, directory.base, ldap.SCOPE_SUBTREE, filtered, most=_TWO)
    except ldap.SIZELIMIT_EXCEEDED as error:
        raise Untrue("it has many entries for one name") from error
    if len(rows) > 1:
        raise Untrue("it has two entries for one name")
    return _found(directory, *rows[0]) if rows else None


def find_by_ids(link: Any, directory: Directory, ids: Sequence[str]) -> dict[str, Found]:
    """Those who are there still, by their id, as far as the filter for people lets them in.

    A limit of the server's that pages do not lift says nothing of anybody: it is asked about fewer at a time.
    """
    attribute = directory.attributes["id"]
    wanted = "".join(f"({attribute}={''.join(f'{chr(92)}{byte:02x}' for byte in bytes.fromhex(one))})" for one in ids)
    filtered = f"(&{_filter(directory, '*')}(|{wanted}))"
    try:
        rows = _search(link, directory, directory.base, ldap.SCOPE_SUBTREE, filtered, most=_TWO * len(ids))
    except (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED, ldap.UNWILLING_TO_PERFORM):
        if len(ids) < 2:
            raise
        half = len(ids) // 2
        return find_by_ids(link, directory, ids[:half]) | find_by_ids(link, directory, ids[half:])
    found: dict[str, Found] = {}
    for row in rows:
        each = _found(directory, *row)
        if each.id in found:
            raise Untrue("it has two entries with one id")
        found[each.id] = each
    return {one: found[one] for one in ids if one in found}


def is_readable(link: Any, directory: Directory) -> bool:
    """Whether the place where people are can be read at all: where it can't, nobody seems to be there."""
    return _can_read(link, directory, directory.base)


def check_password(directory: Directory, found: Found, password: str) -> None:
    """Nothing if it is theirs. WrongPassword, NoAnswer."""
    if not password or not found.dn:  # that counts as nobody, and succeeds (RFC 4513, 5.1.2)
        raise WrongPassword
    link = _connect(directory, as_who=(found.dn, password))
    _close(link)


def with_groups(link: Any, directory: Directory, found: Found) -> Found:
    """The same with the groups that they are in, if any are asked about. NoAnswer if there are too many.

    Nor is anybody in no group because the place where groups are can't be read any more.
    """
    if not directory.asks_for_groups:
        return found
    asked = _Asked(found.dn, {name: [found.text(name)] for name in ("uid", "gidNumber") if found.text(name)}, link)
    search = _search_for_groups(directory)
    groups = _group_type(directory).user_groups(asked, search)
    if not groups and not _can_read(link, directory, directory.group_base):
        raise NoAnswer(f"{directory.group_base} can't be read")
    return Found(found.dn, found.attributes, found.id, frozenset(normal_dn(dn) for dn, _attributes in groups))


def normal_dn(dn: str) -> str:
    """One spelling for what is the same."""
    try:
        return str(dn2str(str2dn(dn.lower())))
    except ldap.DECODING_ERROR:
        return dn.lower()


def may_enter(directory: Directory, found: Found) -> bool:
    """Whether the groups let somebody in."""
    return (not directory.required_groups or _is_in(found, directory.required_groups)) and not _is_in(
        found, directory.denied_groups
    )


def has_flag(directory: Directory, found: Found, flag: str) -> bool:
    """Whether a group makes them this."""
    return _is_in(found, directory.flags.get(flag, ()))


def teams_for(directory: Directory, found: Found) -> frozenset[str]:
    """The names of the teams that their groups stand for."""
    return frozenset(team for group, teams in directory.teams.items() if _is_in(found, [group]) for team in teams)


def _is_in(found: Found, groups: Iterable[str]) -> bool:
    return any(normal_dn(group) in found.groups for group in groups)


@dataclass(frozen=True)
class _Asked:
    """What the library wants to know of a person."""

    dn: str
    attrs: Mapping[str, Sequence[str]]
    connection: Any


def _group_type(directory: Directory) -> Any:
    kind = {
        "groupOfNames": "GroupOfNames",
        "groupOfUniqueNames": "GroupOfUniqueNames",
        "posixGroup": "PosixGroup",
        "group": "ActiveDirectoryGroup",
        "organizationalRole": "OrganizationalRoleGroup",
    }[directory.group_type]
    return getattr(library, f"{'Nested' if directory.nested_groups else ''}{kind}Type")()


def _search_for_groups(directory: Directory) -> Any:
    """The library's search, sent our way: its own takes a % in somebody's name for a place to fill."""

    class Search(library.LDAPSearch):  # type: ignore[misc] # the library has no types
        def execute(self, connection: Any, filterargs: Any = (), escape: bool = True) -> list[tuple[str, Any]]:
            return _search(connection, directory, self.base_dn, self.scope, self.filterstr, _MOST_GROUPS, ["1.1"])

    return Search(directory.group_base, ldap.SCOPE_SUBTREE, f"(objectClass={directory.group_type})")


def _filter(directory: Directory, name: str) -> str:
    """The filter for people, of one or of all."""
    return directory.filter.replace("%(user)s", name)


def _can_read(link: Any, directory: Directory, place: str) -> bool:
    return bool(_search(link, directory, place, ldap.SCOPE_BASE, "(objectClass=*)", most=1, wanted=["1.1"]))


def _connect(directory: Directory, as_who: tuple[str, str] | None = None, lasts_s: int = _PATIENCE_S) -> Any:
    """Connected and bound: for searches, or as somebody with their password. NoAnswer, WrongPassword."""
    why = "no server"
    for url in directory.servers:
        try:
            link = ldap.initialize("ldap://localhost", fileno=open_wire(directory, url, lasts_s))
        except Unreachable as error:
            why = str(error)[:300]
            logger.warning("%s: %s", url, why)
            continue
        try:
            _set_options(link, directory)
            link.simple_bind_s(*(as_who or (directory.bind_dn, directory.bind_password)))
            return link
        except (ldap.LDAPError, UnicodeError, PyAsn1Error) as error:
            _close(link)
            if as_who is not None and isinstance(error, _refusals()):
                raise WrongPassword from error
            why = _say(error)
            logger.warning("%s: %s", url, why)
            if isinstance(error, _refusals()):
                break  # the others know no more; and asking all of them may lock the account of the service
    raise NoAnswer(why)


def _refusals() -> tuple[type[Exception], ...]:
    """What a directory answers to a password that will not do: wrong, expired, locked, for others."""
    return (
        ldap.INVALID_CREDENTIALS,
        ldap.INAPPROPRIATE_AUTH,
        ldap.INSUFFICIENT_ACCESS,
        ldap.CONSTRAINT_VIOLATION,
        ldap.UNWILLING_TO_PERFORM,
        ldap.NO_SUCH_OBJECT,
        ldap.INVALID_DN_SYNTAX,
    )


def _set_options(link: Any, directory: Directory) -> None:
    """All that counts is said here: what stands in a file of the system (ldap.conf) does not decide."""
    for option, value in (
        (ldap.OPT_PROTOCOL_VERSION, 3),
        (ldap.OPT_NETWORK_TIMEOUT, directory.answer_s),
        (ldap.OPT_TIMEOUT, directory.answer_s),
        (ldap.OPT_TIMELIMIT, directory.answer_s),
        (ldap.OPT_REFERRALS, 0),  # a password goes to no server but those of the file
        (ldap.OPT_DEREF, ldap.DEREF_NEVER),
    ):
        link.set_option(option, value)


def _close(link: Any) -> None:
    try:
        link.unbind_s()
    except ldap.LDAPError as error:  # it is gone already
        logger.debug("closing: %s", _say(error))


def _search(
    link: Any,
    directory: Directory,
    base: str,
    scope: int,
    filtered: str,
    most: int,
    wanted: list[str] | None = None,
) -> list[tuple[str, Any]]:
    """At most so many entries and one, page by page; references to other servers are passed over."""
    attributes = wanted or [*dict.fromkeys([*directory.attributes.values(), "uid", "gidNumber"])]
    # One entry alone needs no pages, and not every server has them.
    is_paged = scope != ldap.SCOPE_BASE and most > _TWO
    page, rows, cookie = min(_PAGE, most + 1), [], b""
    for _page in range(most + _EMPTY_PAGES):
        control = SimplePagedResultsControl(criticality=False, size=page, cookie=cookie)
        try:
            number = link.search_ext(
                base,
                scope,
                filtered,
                attributes,
                serverctrls=[control] if is_paged else [],
                timeout=directory.answer_s,
                sizelimit=0 if is_paged else _TWO + 1,
            )
            _kind, entries, _number, answered = link.result3(number, timeout=directory.answer_s)
        except ldap.NO_SUCH_OBJECT:
            return []
        rows += [(dn, values) for dn, values in entries if dn]
        cookie = next((each.cookie for each in answered if each.controlType == control.controlType), b"")
        if not cookie or len(rows) > most:
            break
    if cookie or len(rows) > most:
        raise ldap.SIZELIMIT_EXCEEDED({"desc": "more entries than there can be"})
    return rows


def _found(directory: Directory, dn: str, values: Mapping[str, Sequence[bytes]]) -> Found:
    """An entry, if it says who it is of. Untrue."""
    attributes = {name.lower(): [bytes(value) for value in some] for name, some in values.items()}
    ids = attributes.get(directory.attributes["id"].lower(), [])
    if len(ids) != 1 or not 0 < len(ids[0]) <= 255:
        raise Untrue(f"it has no {directory.attributes['id']} for somebody")
    return Found(dn, attributes, ids[0].hex())


def _say(error: BaseException | None) -> str:
    """What LDAP says, short: never what was sent."""
    about = error.args[0] if error is not None and error.args and isinstance(error.args[0], dict) else {}
    words = [str(about[key]) for key in ("desc", "info") if about.get(key)]
    return ": ".join(words)[:300] or type(error).__name__
