"""New keys for everything that this installation seals and signs: `manage.py rotate_keys`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.core.cache import cache
from django.core.management import CommandError, call_command

from gwm.backups.alone import alone
from gwm.backups.file import BackupError
from gwm.config import Config, read_env_file
from gwm.secrets import GENERATED, replace_private_file
from objectlog.canonical import is_sealed_by

Say = Callable[[str], object]
# All of these have a list of keys: the first seals, every one opens.
FIELD, CONSOLE, JOURNAL, SIGNING = "GWM_FIELD_KEYS", "GWM_CONSOLE_KEYS", "GWM_JOURNAL_KEYS", "GWM_SECRET_KEY"


def rotate_keys(say: Say) -> None:
    """A new key for each, what is sealed is sealed anew, and no old one stays but for those that the journal was sealed
    with. Ended halfway, it leaves a file with which everything opens, and can be called again. Raises BackupError."""
    with alone(say):
        _rotate(say)


def _rotate(say: Say) -> None:
    config = Config(os.environ)
    path = config.data_dir / "secrets.env"
    values = read_env_file(path)
    _refuse_elsewhere(config, path, values)
    old = {name: _split(values[name]) for name in (FIELD, CONSOLE, JOURNAL)}
    new = {name: secrets.token_urlsafe(48) for name in GENERATED}
    values[SIGNING] = new[SIGNING]
    for name, keys in old.items():
        values[name] = ",".join([new[name], *keys])
    _write(path, values)
    with _field_keys(_split(values[FIELD])):
        try:
            call_command("rotate_field_keys")
        except CommandError as error:
            words = "Some can't be read, so the old keys stay in secrets.env. Mend these, and call it again."
            raise BackupError(f"{error}\n{words}") from error
    needed = _needed(old[JOURNAL])
    values |= {FIELD: new[FIELD], CONSOLE: new[CONSOLE], JOURNAL: ",".join([new[JOURNAL], *needed])}
    _write(path, values)
    signed_in = _forget_sessions()
    say(f"{signed_in} sessions ended: everybody signs in again, and links in mails that were not used yet are void.")
    say(f"{path} has new keys. No old one is needed any more" + _told(needed))
    say("Start everything with it now; hosts that share these keys need the same file.")


def _told(needed: Sequence[str]) -> str:
    if not needed:
        return "."
    which = "one" if len(needed) == 1 else f"{len(needed)}"
    return f", but for {which} of the journal, until prune_journal has removed what was sealed with it."


def _refuse_elsewhere(config: Config, path: Path, values: dict[str, str]) -> None:
    for name in GENERATED:
        if not values.get(name) or config.raw(name) != values[name]:
            words = f"{name} is not the one of {path}, but set elsewhere (the environment, or a file of settings)."
            raise BackupError(f"{words} Move it into that file first.")


def _split(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _write(path: Path, values: dict[str, str]) -> None:
    replace_private_file(path, "".join(f"{name}={value}\n" for name, value in values.items()))


@contextmanager
def _field_keys(keys: list[str]) -> Iterator[None]:
    before, settings.GWM_FIELD_KEYS = settings.GWM_FIELD_KEYS, keys
    try:
        yield
    finally:
        settings.GWM_FIELD_KEYS = before


def _needed(keys: Iterable[str]) -> list[str]:
    """Those that sealed an event, or an end of the chain, that is still there."""
    waiting = [key for key in keys if not _sealed_an_end(key)]
    needed = [key for key in keys if key not in waiting]
    events = apps.get_model("objectlog", "Event")._base_manager.filter(number__isnull=False)
    for seal, previous, text in events.values_list("seal", "previous", "text").iterator():
        if not waiting:
            break
        if found := next((key for key in waiting if is_sealed_by([key.encode()], seal, previous, text)), None):
            needed.append(found)
            waiting.remove(found)
    return [key for key in keys if key in needed]


def _sealed_an_end(key: str) -> bool:
    ends = apps.get_model("objectlog", "ChainEnd")._base_manager.all()
    return any(is_sealed_by([key.encode()], end.mac, end.name, str(end.number), end.seal) for end in ends)


def _forget_sessions() -> int:
    sessions = apps.get_model("sessions", "Session")._base_manager
    cache.delete_many([f"{KEY_PREFIX}{key}" for key in sessions.values_list("pk", flat=True)])
    count = sessions.count()
    sessions.all().delete()
    return int(count)
