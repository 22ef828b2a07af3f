"""Tests of the directory need the packages of the extra, which not every machine can build."""

import os

import pytest


def demand_ldap() -> None:
    """Leave a module out where they are not; in a complete run its imports fail."""
    if not os.environ.get("GWM_TEST_COMPLETE"):
        reason = "python-ldap is not installed (Debian: apt install libldap2-dev libsasl2-dev python3-dev gcc)."
        pytest.importorskip("django_auth_ldap.config", reason=reason)
