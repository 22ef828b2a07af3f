"""Renew the catalogues in locale/ from the source: `python -m tools.catalogues`.

Sentences that are new come in without a translation, those that are gone go, and what is translated stays. Nothing is
guessed, and no line numbers are kept: what did not change does not change. The compiled catalogues (.mo) are written,
too, and stand in the repository, so that an installation needs no step and no tool for them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
# Without sentences for people.
_LEFT_OUT = frozenset({"tests", "tools", "simulator"})
_WIDTH = 120
_Key = tuple[str, str | None]


def extract(there: Path) -> tuple[polib.POFile, str]:
    """All sentences of the source, and what makemessages said to that. It works on a copy, in which it leaves files."""
    for source in ROOT.iterdir():
        if source.name not in _LEFT_OUT and ((source / "__init__.py").exists() or source.name == "templates"):
            shutil.copytree(source, there / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (there / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--keep-pot", "--no-color"]
    made = subprocess.run(
        [*command, "--extension", "html,py,txt", "--add-location", "file"],
        cwd=there,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(made.stderr)
    return polib.pofile(str(there / "locale" / "django.pot")), made.stdout + made.stderr


def key_of(entry: polib.POEntry) -> _Key:
    """What tells one sentence from another."""
    return entry.msgid, entry.msgctxt


def list_catalogues() -> list[Path]:
    """The catalogue of each language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def renew(catalogue: Path, template: polib.POFile) -> polib.POFile:
    """A catalogue with just the sentences of `template`, those translated that were."""
    old = polib.pofile(str(catalogue))
    known = {key_of(entry): entry for entry in old}
    new = polib.POFile(wrapwidth=_WIDTH)
    new.header, new.metadata = old.header, old.metadata
    new.metadata.pop("POT-Creation-Date", None)
    plurals = int(new.metadata["Plural-Forms"].partition("nplurals=")[2].partition(";")[0])
    for entry in sorted(template, key=_in_order):
        before = known.get(key_of(entry))
        entry.occurrences = sorted(set(entry.occurrences))
        entry.flags = [flag for flag in entry.flags if flag.endswith("-format")]
        if entry.msgid_plural:
            was = before.msgstr_plural if before and before.msgid_plural == entry.msgid_plural else {}
            entry.msgstr_plural = {number: was.get(number, "") for number in range(plurals)}
        else:
            entry.msgstr = before.msgstr if before else ""
        if before and before.fuzzy:
            entry.flags.append("fuzzy")
        new.append(entry)
    return new


def _in_order(entry: polib.POEntry) -> tuple[str, str, str]:
    """By the first file that says it, so that what belongs together stands together."""
    return min(file for file, _line in entry.occurrences), entry.msgid, entry.msgctxt or ""


def main() -> None:
    """Renew all of them, and say how many sentences have no translation."""
    with tempfile.TemporaryDirectory() as there:
        template, _said = extract(Path(there))
    for path in list_catalogues():
        catalogue = renew(path, template)
        catalogue.save(str(path))
        path.with_suffix(".mo").write_bytes(catalogue.to_binary())
        missing = len(catalogue) - len(catalogue.translated_entries())
        print(f"{path.parent.parent.name}: {len(catalogue)} sentences, {missing} without a translation")


if __name__ == "__main__":
    main()
