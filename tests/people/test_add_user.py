"""`manage.py add_user`."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from permissions.models import User

pytestmark = pytest.mark.django_db


def add(name, password, tmp_path):
    (tmp_path / "password").write_text(f"{password}\n")
    call_command("add_user", name, password_file=str(tmp_path / "password"))


def test_an_account_that_may_do_nothing_yet(tmp_path, capsys):
    add("alice", "four words in a row", tmp_path)
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.check_password("four words in a row")) == ("alice", False, True)
    assert "manage.py grant alice" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("alice", "short", "too short"),
        ("two words", "four words in a row", "valid username"),
        ("root", "four words in a row", "already exists"),
    ],
)
def test_what_is_refused(name, password, says, tmp_path):
    User.objects.create_user("root")
    with pytest.raises(CommandError, match=says):
        add(name, password, tmp_path)
    assert User.objects.count() == 1


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="--password-file"):
        call_command("add_user", "alice", password_file=str(tmp_path / "none"))
