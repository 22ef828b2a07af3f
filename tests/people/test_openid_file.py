"""The file that describes OpenID Connect providers."""

import pytest

from people.openid.providers import BadProviders, is_safe, read_providers

GOOD = '[corp]\nissuer = "https://sso.example.org"\nclient_id = "gwm"\nclient_secret = "marker-secret"\n'


def read(tmp_path, text):
    path = tmp_path / "openid.toml"
    path.write_text(text, encoding="utf-8")
    return read_providers(path, is_wanted=True)


def test_a_provider_and_its_defaults(tmp_path):
    (provider,) = read(tmp_path, GOOD + '[corp.teams]\n"/ops" = "ops"\n"/web" = ["web", "ops"]\n')
    assert (provider.key, provider.name, provider.adds_accounts) == ("corp", "Corp", False)
    assert provider.teams_for(["/ops", "/web", "/x", None]) == {"ops", "web"}
    assert provider.teams_for("/ops") == {"ops"} and provider.teams_for({"/ops": 1}) == frozenset()
    assert "marker-secret" not in repr(provider)


def test_a_secret_in_a_file_of_its_own(tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    named = GOOD.replace('client_secret = "marker-secret"', f'client_secret_file = "{tmp_path}/secret"')
    assert read(tmp_path, named)[0].client_secret == "from a file"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("corp = 1", "is no [name]"),
        ("[Corp Inc]", "is no TOML"),
        ('["Corp Inc"]', "is no [name]"),
        (GOOD + "x = ", "is no TOML"),
        (GOOD + "secret = 1", "has “secret”"),
        (GOOD.replace("https", "http"), "no https address"),
        (GOOD.replace('client_id = "gwm"', ""), "lacks “client_id”"),
        (GOOD.replace('"gwm"', "7"), "“client_id” of [corp]"),
        (GOOD.replace('client_secret = "marker-secret"', ""), "lacks “client_secret_file”"),
        (GOOD + 'client_secret_file = "/nowhere"', "cannot read the client_secret_file"),
        (GOOD + 'adds_accounts = "yes"', "neither true nor false"),
        (GOOD + 'ca_file = "/nowhere"', "names no file"),
        (GOOD + "scopes = [1]", "no list of texts"),
        (GOOD + "teams = 3", "is no table"),
        (GOOD + "[corp.teams]\na = 3", "no list of texts"),
    ],
)
def test_a_mistake_is_told_without_the_secret(tmp_path, text, says):
    with pytest.raises(BadProviders) as wrong:
        read(tmp_path, text)
    assert says in str(wrong.value) and "marker-secret" not in str(wrong.value)


def test_the_file_may_be_missing_unless_it_was_named(tmp_path):
    assert read_providers(tmp_path / "none", is_wanted=False) == ()
    with pytest.raises(BadProviders, match="there is no file"):
        read_providers(tmp_path / "none", is_wanted=True)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://sso.example.org/x", True),
        ("http://localhost:9/", True),
        ("http://localhost.evil.example/", False),
        ("http://sso.example.org", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://[", False),
        (None, False),
    ],
)
def test_which_addresses_are_safe(url, safe):
    assert is_safe(url) is safe
