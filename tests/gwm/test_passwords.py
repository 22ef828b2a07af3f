"""The rules for a new password, as they are shown and as they refuse."""

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from permissions.models import User


def test_the_rules_are_short():
    assert password_validators_help_texts() == [
        "At least 8 characters",
        "Not similar to your user name, name or email address",
        "Not a commonly used password",
    ]


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("kR7#q", "The password is too short. Enter at least 8 characters."),
        ("alice.example", "The password is too similar to your name, user name or email address. Choose another one."),
        ("password", "The password is too common. Choose another one."),
    ],
)
def test_a_refusal_says_what_to_do(password, says):
    with pytest.raises(ValidationError) as refused:
        validate_password(password, User(username="alice.example1"))
    assert refused.value.messages == [says]


def test_another_password_is_taken():
    validate_password("four words in a row", User(username="alice"))
