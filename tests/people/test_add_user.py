"""`manage.py add_user`."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from objectlog.models import Entry
from permissions.models import User
from tests.factories import make_admin, make_user

pytestmark = pytest.mark.django_db


def add(name, password, tmp_path, **options):
    (tmp_path / "password").write_text(f"{password}\n")
    call_command("add_user", name, password_file=str(tmp_path / "password"), **options)


def test_an_account_that_may_do_nothing_yet(tmp_path, capsys):
    make_admin("root")
    add("alice", "four words in a row", tmp_path)
    user = User.objects.get(username="alice")
    assert (user.username, user.is_superuser, user.check_password("four words in a row")) == ("alice", False, True)
    assert "manage.py grant alice" in capsys.readouterr().out
    entry = Entry.objects.get()
    assert (entry.verb, entry.actor_name, entry.target_name, entry.via) == ("person.add", "root", "alice", "cli")


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("alice", "short", "too short"),
        ("two words", "four words in a row", "valid username"),
        ("root", "four words in a row", "already exists"),
    ],
)
def test_what_is_refused(name, password, says, tmp_path):
    make_admin("root")
    with pytest.raises(CommandError, match=says):
        add(name, password, tmp_path)
    assert User.objects.count() == 1


def test_who_acts(tmp_path):
    """Nobody is said to have done what they have not."""
    with pytest.raises(CommandError, match="rescue_admin"):
        add("alice", "four words in a row", tmp_path)
    make_admin("root"), make_admin("other"), make_user("bob")
    with pytest.raises(CommandError, match="--as root"):
        add("alice", "four words in a row", tmp_path)
    with pytest.raises(CommandError, match="Only administrators"):
        add("alice", "four words in a row", tmp_path, actor="bob")
    add("alice", "four words in a row", tmp_path, actor="other")
    assert Entry.objects.get().actor_name == "other"


def test_a_file_that_is_not_there(tmp_path):
    make_admin("root")
    with pytest.raises(CommandError, match="--password-file"):
        call_command("add_user", "alice", password_file=str(tmp_path / "none"))
