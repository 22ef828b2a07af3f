"""`manage.py rescue_admin NAME`: for when no administrator can sign in any more."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from people.account_names import may_be_called
from people.directory.accounts import forget_link
from people.factors import remove_all
from people.mailing import tell_of_password
from people.management.commands.add_user import read_password
from people.signing_in import record_rescue
from permissions.models import User


class Command(BaseCommand):
    help = (
        "Makes somebody an administrator with a new password and without second factors, whatever the account is now "
        "or whether there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")
        parser.add_argument("--password-file", help="file whose first line is the password; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["name"]).first() or User(username=options["name"])
        try:
            person.full_clean(exclude=["password"])
            if person._state.adding and not may_be_called(person.username):
                raise ValidationError(
                    f"No account can be made as {person}: give the exact name of one, or another name."
                )
            password = read_password(options["password_file"])
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person.set_password(password)
        person.is_active = person.is_superuser = True
        with transaction.atomic():
            person.save()
            # Else the directory would put them out again at its next word.
            was_kept = bool(forget_link(person))
            removed = remove_all(person)
            record_rescue(person)
            tell_of_password(person)
        self.stdout.write(f"{person} is an administrator, and signs in with the new password. All sessions have ended.")
        if was_kept:
            self.stdout.write("The account is connected to the LDAP directory no more.")
        if removed:
            self.stdout.write("Second factors are removed: set up new ones.")
