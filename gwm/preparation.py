"""What stands between a fresh clone and a running product; safe to repeat, and quick when nothing is to do."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from gwm.config import Config, SettingError
from gwm.database_versions import REMEDY, describe_unfit, kind_of
from gwm.migrating import migrate_patiently
from permissions.services import forget_grants_of_nothing
from virtualmachines.sync.tags import mirror_all_tags

FIRST_ADMIN = "admin"


def prepare_database(say: Callable[[str], None]) -> None:
    """Bring the tables up to date and see to the first account. Raises SettingError for a database that won't do, and
    CommandError when somebody holds a table all the time."""
    connection.ensure_connection()
    if unfit := describe_unfit(*kind_of(connection)):
        raise SettingError("DATABASE_URL", unfit, REMEDY)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Bringing the database up to date …")
        migrate_patiently(say)
    call_command("createcachetable", verbosity=0)
    mirror_all_tags()
    forget_grants_of_nothing()
    create_first_admin(say)


def create_first_admin(say: Callable[[str], None]) -> None:
    """Make the account `admin` when there is no account yet, and print its generated password, this once."""
    users = get_user_model()._default_manager
    if users.exists():
        return
    given = Config(os.environ).text("GWM_ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    users.create_superuser(FIRST_ADMIN, password=password)
    if given:
        say(f"First account: {FIRST_ADMIN}, with the password of GWM_ADMIN_PASSWORD.")
    else:
        say(f"First account: {FIRST_ADMIN}, password: {password}   (printed just this once)")
