"""That a bundle for reports has no secret: of settings, of the database, of the log."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import CharField, JSONField, Model, TextField
from django.utils import timezone

from gwm.diagnosing.bundle import gather
from gwm.env import SETTINGS
from tests.factories import make_cluster
from tests.monitoring.test_diagnose import diagnose

pytestmark = [pytest.mark.feature("G029"), pytest.mark.django_db]

MARKER = "M4rker'of “all” <secrets>/ü"
# As it is, in two kinds of addresses, in JSON, in a page.
WRITTEN = [MARKER, quote(MARKER), quote(MARKER, safe=""), json.dumps(MARKER)[1:-1], html.escape(MARKER)]


@pytest.mark.parametrize("how", ["text", "json"])
def test_no_setting_gives_away_what_is_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str) -> None:
    """Every one: those that are secrets, and all others with a password in an address."""
    written = quote(MARKER, safe="")
    for setting in SETTINGS:
        if setting.name not in {"GWM_CONFIG", "GWM_DATA_DIR"}:  # where settings are read from
            given = MARKER if setting.secret else f"smtp://somebody:{written}@mail.example.org"
            monkeypatch.setenv(setting.name, given)
    make_cluster("lab", password=MARKER + "1", vnc_password=MARKER + "2")
    lines = [f"said {spelling} again" for spelling in WRITTEN]
    lines += [
        f"password={MARKER}",
        f"Authorization: Basic {b64encode(MARKER.encode()).decode()}",
        f'{{"a": "{MARKER}"}}',
    ]
    if how == "json":
        lines = [json.dumps({"message": line, line: [line], "traceback": f"x\n{line}"}) for line in lines]
    log = tmp_path / "log"
    log.write_text("\n".join(lines))
    parts, said = diagnose(tmp_path, "--log", str(log), "--with-names")
    assert set(json.loads(parts["settings.json"])) == {setting.name for setting in SETTINGS}
    for part, text in {**parts, "terminal": said}.items():
        assert not [each for each in WRITTEN if each in text], part
        assert b64encode(MARKER.encode()).decode() not in text, part


class Undone(Exception):
    """Takes back what was written."""


FILLED: dict[str, Any] = {
    **dict.fromkeys(("ForeignKey", "OneToOneField", "IntegerField", "BigIntegerField", "PositiveIntegerField"), 1),
    **dict.fromkeys(("PositiveBigIntegerField", "PositiveSmallIntegerField", "FloatField"), 1),
    **{"BooleanField": False, "UUIDField": UUID(int=1), "DateField": date(2026, 11, 23)},
    **{"AutoField": 1, "BigAutoField": 1, "CharField": "", "SlugField": "", "GenericIPAddressField": "192.0.2.1"},
}
# Triggers write them.
FOLLOWING = {"objectlog.EventText", "virtualmachines.MachineText"}
# What a check of the database wants.
CHECKED: dict[str, dict[str, Any]] = {
    "permissions.RoleGrant": {"user_id": 1, "scope_pk": 1},
    "permissions.Persona": {"user_id": 1},
    "permissions.Token": {"scope_pk": 1},
}
# Of the database a bundle tells these, beside how many rows each table has.
TOLD = {
    *(f"clusters.Cluster.{name}" for name in ("slug", "software_version", "last_error_kind", "last_error")),
    *(f"clusters.Cluster.{name}" for name in ("live_error", "answers_at", "query_troubles")),
    *(f"clusters.Schedule.{begin}_failures" for begin in ("rapi", "follow", "operation")),
    *("gwm.Process.host", "gwm.Process.kind", "gwm.Process.version"),
}


def mark(model: type[Model], marked: dict[str, str]) -> None:
    """Give it one row alone, with a text of its own in each field that takes one."""
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        marker = f"Mk{len(marked):03}"
        if isinstance(field, CharField | TextField | JSONField) and not field.choices and (field.max_length or 5) >= 5:
            marked[marker] = f"{model._meta.label}.{field.name}"
            values[field.attname] = {marker: [marker]} if isinstance(field, JSONField) else marker
        elif field.primary_key or not (field.null or field.has_default()):
            values[field.attname] = (FILLED | {"DateTimeField": timezone.now()})[field.get_internal_type()]
    everything = model._default_manager.all()
    everything._raw_delete(everything.db)
    everything.bulk_create([model(**values | CHECKED.get(model._meta.label, {}))])


def test_of_the_database_it_tells_a_few_fields_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    marked: dict[str, str] = {}
    with suppress(Undone), transaction.atomic():
        for model in apps.get_models(include_auto_created=True):
            if model._meta.label not in FOLLOWING:
                mark(model, marked)
        bundle = gather(tmp_path / "log", with_names=True)
        raise Undone
    assert len(marked) > 200 and bundle.troubles == {}
    everything = "".join(bundle.texts.values())
    assert {name for marker, name in marked.items() if marker in everything} == TOLD
