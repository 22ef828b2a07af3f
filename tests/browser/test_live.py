"""An open page is true: what anyone changes is on it within five seconds, and nothing that a person is at is lost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.feature("G045")
SOON_MS = 5_000


def open_live(page: Page, path: str) -> None:
    """Open a page and wait until its signal stands."""
    page.goto(path)
    expect(page.locator("html[data-live=on]")).to_be_attached()


def test_a_machine_shut_down_by_somebody_else(demo, lab, person, machine):
    one, other = person(demo), person(demo)
    open_live(one, f"/clusters/lab/vms/{machine}/")
    open_live(other, f"/clusters/lab/vms/?q={machine}")
    expect(one.locator("#vm-head .state")).to_have_text("running")
    one.evaluate("window.untouched = true")
    demo.read(f"VirtualMachine.objects.filter(name='{machine}').update(status='ADMIN_down')")
    expect(one.locator("#vm-head .state")).to_have_text("stopped", timeout=SOON_MS)
    expect(other.locator("tbody .state")).to_have_text("stopped", timeout=SOON_MS)
    assert one.evaluate("window.untouched")
    expect(one.locator("#live-says")).to_have_text(re.compile(f"{machine}: stopped"))
