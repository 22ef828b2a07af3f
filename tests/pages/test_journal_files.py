"""Files of the journal: what is shown, and no cell that a program would take for a formula."""

import csv
import json
from io import StringIO

import pytest

from objectlog.changes import Change
from objectlog.models import Outcome, Via
from objectlog.services import Target, begin
from tests.pages.conftest import Site
from tests.pages.test_journal import SignIn, journal, site, verbs

__all__ = ["journal", "site"]


@pytest.mark.feature("G018")
@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff20"])
def test_no_cell_of_a_file_is_a_formula(journal: Site, sign_in: SignIn, begins: str) -> None:
    """Whoever chooses a name, and whatever Ganeti answers."""
    evil = f"{begins}cmd|' /C calc'!A0"
    entry = begin(
        actor_id=None,
        actor_name=evil,
        persona_name=evil,
        via=Via.WEB,
        verb="verb-of-another-release",
        target=Target("vm", 1, evil, evil),
        params={},
        outcome=Outcome.FAILED,
        message=evil,
        changes=[Change("x", evil, "", evil)],
    )
    answer = sign_in(journal.admin).get(f"/journal/?format=csv&entry={entry.uuid}")
    assert answer["Content-Disposition"] == 'attachment; filename="journal.csv"'
    header, row = csv.reader(StringIO(answer.content.decode(), newline=""))
    assert header[:2] == ["outcome", "sentence"]
    assert [cell for cell in row if cell.startswith(begins)] == []
    assert row.count(f"'{evil}") >= 4


@pytest.mark.feature("G018")
def test_files_have_what_is_shown(journal: Site, sign_in: SignIn) -> None:
    client = sign_in(journal.alice)
    given = json.loads(client.get("/journal/?format=json&sort=when").content)
    assert given["complete"] is True
    assert [each["sentence"] for each in given["journal"]] == [
        "Rebooted web1.example.org",
        "Start of db1.example.org failed",
    ]
    assert [each["target_pk"] for each in given["journal"]] == [journal.web.pk, journal.db.pk]
    lines = list(csv.DictReader(StringIO(client.get("/journal/?format=csv&q=start").content.decode())))
    assert [line["sentence"] for line in lines] == ["Start of db1.example.org failed"]
    sealed = client.get("/journal/?format=json&sort=when&columns=seal,number").json()["journal"]
    assert [json.loads(each["text"])["verb"] for each in sealed] == ["vm.reboot", "vm.start"]
    assert "Content-Disposition" not in client.get("/journal/?format=pdf").headers


def test_json_lines_are_read_one_by_one(journal: Site, sign_in: SignIn) -> None:
    answer = sign_in(journal.admin).get("/journal/?format=jsonl&columns=verb,target")
    assert answer["Content-Type"] == "application/x-ndjson" and 'filename="journal.jsonl"' in str(answer.headers)
    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    assert [line["verb"] for line in lines] == verbs(sign_in(journal.admin))
