"""What a new password has to be: Django's rules in our words. AUTH_PASSWORD_VALIDATORS names them."""

from django.contrib.auth import password_validation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class LongEnough(password_validation.MinimumLengthValidator):
    """At least so many characters."""

    def get_help_text(self) -> str:
        return ngettext("At least %d character", "At least %d characters", self.min_length) % self.min_length

    def get_error_message(self) -> str:
        sentence = ngettext(
            "The password is too short. Enter at least %d character.",
            "The password is too short. Enter at least %d characters.",
            self.min_length,
        )
        return sentence % self.min_length


class UnlikeThePerson(password_validation.UserAttributeSimilarityValidator):
    """Not the name of whom it belongs to."""

    def get_help_text(self) -> str:
        return _("Not similar to your user name, name or email address")

    def get_error_message(self) -> str:
        return _("The password is too similar to your name, user name or email address. Choose another one.")


class Uncommon(password_validation.CommonPasswordValidator):
    """None of those that are tried first."""

    def get_help_text(self) -> str:
        return _("Not a commonly used password")

    def get_error_message(self) -> str:
        return _("The password is too common. Choose another one.")
