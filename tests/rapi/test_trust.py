"""Whom the client believes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from rapi import RapiClient, Trust, probe_certificate
from rapi.errors import Garbled, TimedOut, Unreachable, Untrusted
from rapi.trust import normalize_fingerprint
from tests.rapi.conftest import INFO, UUID
from tests.rapi.edge import Edge, Identity, answer, make_identity, serve

Make = Callable[..., RapiClient]
pytestmark = pytest.mark.feature("F066")


def test_the_right_fingerprint_in_any_spelling(edge: Edge, identity: Identity, make_client: Make) -> None:
    bare = identity.fingerprint.replace(":", "")
    for text in (identity.fingerprint, bare.lower(), f"SHA256:{bare}", f" sha256 Fingerprint={identity.fingerprint}\n"):
        assert make_client(edge, trust=Trust.pinned(text)).get_info().uuid == UUID


@pytest.mark.parametrize("text", ["", "AB:CD", "x" * 64, "AB" * 31, "AB" * 33])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="64"):
        normalize_fingerprint(text)


def test_a_wrong_fingerprint_sends_nothing_and_tells_what_was_shown(
    edge: Edge, identity: Identity, make_client: Make
) -> None:
    with pytest.raises(Untrusted) as caught:
        make_client(edge, trust=Trust.pinned("AB" * 32)).startup_instance("a", reason="gwm:1")
    assert caught.value.presented == identity.fingerprint
    assert identity.fingerprint in str(caught.value)
    assert not caught.value.may_have_run
    assert edge.requests == []


def test_a_pin_does_not_care_for_the_name(tmp_path: Path, make_client: Make) -> None:
    """Ganeti's own certificate is for ganeti.example.com, wherever it is."""
    nameless = make_identity(tmp_path, name="ganeti.example.com", address=None)
    with serve(nameless, answer(INFO)) as edge:
        assert make_client(edge, trust=Trust.pinned(nameless.fingerprint)).get_info().uuid == UUID
        by_authority = Trust.authority(nameless.pem)
        with pytest.raises(Untrusted):
            make_client(edge, trust=by_authority).get_info()
        lenient = Trust.authority(nameless.pem, check_hostname=False)
        assert make_client(edge, trust=lenient).get_info().uuid == UUID


def test_an_authority_vouches_for_its_own_and_for_no_others(
    edge: Edge, identity: Identity, tmp_path: Path, make_client: Make
) -> None:
    assert make_client(edge, trust=Trust.authority(identity.pem)).get_info().uuid == UUID
    assert make_client(edge, trust=Trust.authority_file(identity.path)).get_info().uuid == UUID
    other = make_identity(tmp_path)
    with pytest.raises(Untrusted):
        make_client(edge, trust=Trust.authority(other.pem)).get_info()
    assert len(edge.requests) == 2


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "ä"])
def test_what_is_no_certificate_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)certificate"):
        Trust.authority(pem)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_has_no_say_over_a_given_authority(
    edge: Edge, identity: Identity, tmp_path: Path, make_client: Make, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    other = make_identity(tmp_path)
    monkeypatch.setenv(variable, str(other.path))
    assert make_client(edge, trust=Trust.authority(identity.pem)).get_info().uuid == UUID
    monkeypatch.setenv(variable, str(identity.path))
    with pytest.raises(Untrusted):
        make_client(edge, trust=Trust.authority(other.pem)).get_info()


def test_neither_proxy_nor_netrc_of_the_environment_is_used(
    edge: Edge, tmp_path: Path, make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {edge.host} login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    make_client(edge, username="", password="").get_info()
    assert "authorization" not in edge.requests[0].headers


def test_the_systems_authorities_do_not_know_a_self_signed_certificate(
    edge: Edge, identity: Identity, make_client: Make
) -> None:
    with pytest.raises(Untrusted) as caught:
        make_client(edge, trust=Trust.system()).get_info()
    assert caught.value.presented == identity.fingerprint


def test_looking_at_a_certificate_sends_nothing(edge: Edge, identity: Identity) -> None:
    shown = probe_certificate(edge.host, edge.port, 2.0)
    assert shown.fingerprint == identity.fingerprint
    assert shown.pem.strip() == identity.pem.strip()
    assert shown.subject == "CN=localhost"
    assert shown.is_self_signed
    assert shown.not_before < shown.not_after
    assert edge.requests == []


def test_looking_at_no_certificate() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(TimedOut):
            probe_certificate("127.0.0.1", port, 0.2)
    with pytest.raises(Unreachable):
        probe_certificate("127.0.0.1", port, 0.2)
    with pytest.raises(Unreachable):
        probe_certificate("no-such-host.invalid", 5080, 1.0)
    with pytest.raises((Garbled, Unreachable)):
        probe_certificate("a" * 300, 5080, 1.0)
