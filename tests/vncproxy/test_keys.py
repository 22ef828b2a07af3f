"""No key is ever left held in the guest, whatever takes the keys away from its screen; and who gets them when."""

from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ganeti.rfb import RfbClient
from tests.vncproxy.screens import ALT, CONTROL, DELETE, Machine
from tests.vncproxy.test_loopback import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.feature("G049")]

KEYS = [
    *["ControlLeft", "ControlRight", "AltLeft", "AltRight", "ShiftLeft", "ShiftRight", "MetaLeft", "MetaRight"],
    *["a", "Delete", "F1", "ArrowUp", "Enter"],
]
CHORDS = [["ControlLeft", "AltLeft"], ["ControlLeft", "AltLeft", "Delete"], KEYS]


@pytest.fixture
def machine():
    """A machine that writes down its keys."""
    running = Machine()
    yield running
    running.close()


@pytest.fixture
def page(console, machine):
    """The console's page, connected to it."""
    shown = console.show(port=machine.port)
    connected(shown)
    return shown


def connected(page):
    expect(page.locator("[data-console]")).to_have_attribute("data-state", "on")


def say_hidden(page):
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {value: true, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
            delete document.hidden;
        }"""
    )


def pop_out(page):
    with page.context.expect_page() as opened:
        page.locator("[data-do=popout]").click()
    opened.value.close()


# Every way in which the screen can lose the keys while the page stays,
WAYS = {
    "a click on a field": lambda page: page.locator("#search").click(),
    "a click on nothing": lambda page: page.locator(".console-note").click(),
    "a click on the bar": lambda page: page.locator("[data-do=scale]").click(),
    "the focus taken away": lambda page: page.evaluate("document.activeElement.blur()"),
    "the question of the console": lambda page: page.locator(".console-bar [data-do=ask-cad]").click(),
    "a dialog of the page": lambda page: page.evaluate("document.getElementById('keys').showModal()"),
    "the window loses the focus": lambda page: page.evaluate("window.dispatchEvent(new Event('blur'))"),
    "another tab": say_hidden,
    "full screen": lambda page: page.locator("[data-do=fullscreen]").click(),
    "full screen left by the browser": lambda page: page.evaluate(
        "document.dispatchEvent(new Event('fullscreenchange'))"
    ),
    "disconnect": lambda page: page.locator("[data-do=disconnect]").click(),
    "the menu of keys": lambda page: page.locator("[data-do=pad]").click(),
    "the menu of keys, by keyboard": lambda page: page.evaluate("document.querySelector('[data-do=pad]').click()"),
    "text to paste": lambda page: page.locator("[data-do=ask-paste]").click(),
    "the touch keyboard": lambda page: page.evaluate("document.querySelector('[data-do=keyboard]').click()"),
    "a window of its own": pop_out,
}
# and with the page.
ENDS = {
    "another page": lambda page: page.goto("about:blank"),
    "the page anew": lambda page: page.reload(),
    "the page's end": lambda page: page.close(),
}


TIME_WAIT = "06"  # as /proc/net/tcp tells it: the other side has closed it too


def connections_to(port):
    """How many connections of this machine lead to `port` and have not been closed by both sides."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] != TIME_WAIT for row in rows)


def press_only(page, chord):
    """Hold these keys on the screen, whatever came before."""
    page.evaluate("document.querySelector('dialog[open]')?.close(); document.exitFullscreen().catch(() => {})")
    # At once: a console may come back by itself, and then there is no such button.
    page.evaluate(
        "document.querySelector('[data-console][data-state=off] [data-part=cover] [data-do=connect]')?.click()"
    )
    connected(page)
    page.locator("canvas").click()
    for key in chord:
        page.keyboard.down(key)


def press(page, machine, chord):
    """The same, and see that the guest holds them."""
    press_only(page, chord)
    assert wait_until(lambda: len(machine.guest.held) == len(chord)), (chord, machine.guest.keys)


@pytest.mark.parametrize(("way", "key"), [*zip(WAYS, cycle(KEYS), strict=False)])
def test_every_way_to_lose_the_keys_lets_go_of_them(page, machine, way, key):
    """All at once, as people press some together, and each key alone in one of the ways at least."""
    for chord in [[key], *CHORDS]:
        press(page, machine, chord)
        WAYS[way](page)
        assert wait_until(lambda: not machine.guest.held), (chord, machine.guest.keys)
        for each in reversed(chord):
            page.keyboard.up(each)


@pytest.mark.parametrize("way", ENDS)
@pytest.mark.parametrize("chord", [["ControlLeft", "AltLeft"], KEYS], ids=["two", "all"])
def test_every_end_of_the_page_lets_go_of_them(page, machine, way, chord):
    press(page, machine, chord)
    ENDS[way](page)
    assert wait_until(lambda: not machine.guest.held), machine.guest.keys


@pytest.mark.parametrize("order", [("ShiftLeft", "AltLeft", "ControlLeft"), ("AltLeft", "ShiftRight", "ControlRight")])
def test_our_own_way_out_lets_go_of_everything(page, machine, order):
    page.locator("canvas").click()
    for key in order:
        page.keyboard.down(key)
    expect(page.locator("canvas")).to_be_focused()
    assert wait_until(lambda: len(machine.guest.held) == len(order))
    page.keyboard.up(order[0])
    expect(page.locator("[data-do=disconnect]")).to_be_focused()
    assert wait_until(lambda: not machine.guest.held), machine.guest.keys
    for key in order[1:]:
        page.keyboard.up(key)
    page.locator("canvas").click()
    page.keyboard.press("Delete")
    assert wait_until(lambda: DELETE in machine.typed())
    assert not any(chord >= {CONTROL, ALT, DELETE} for chord in machine.chords())
    assert wait_until(lambda: not machine.guest.held), machine.guest.keys


# As Windows tells AltGr: a Ctrl of its own just before it. With Shift, and the letters of Polish.
ALT_GR = {
    "Windows": [("Control", "ControlLeft"), ("AltGraph", "AltRight"), ("Shift", "ShiftLeft")],
    "Windows, Shift first": [("Shift", "ShiftLeft"), ("Control", "ControlLeft"), ("AltGraph", "AltRight")],
    "Windows, as Alt": [("Control", "ControlLeft"), ("Alt", "AltRight"), ("Shift", "ShiftRight")],
    "Linux": [("AltGraph", "AltRight"), ("Shift", "ShiftLeft")],
    "with a letter": [("Control", "ControlLeft"), ("Alt", "AltLeft"), ("Shift", "ShiftLeft"), ("Ą", "KeyA")],
}
SEND = """([kind, key, code, held]) => document.querySelector("[data-console] canvas").dispatchEvent(
    new KeyboardEvent(kind, {key, code, bubbles: true, cancelable: true, ctrlKey: held.includes("Control"),
        altKey: held.some((name) => name.startsWith("Alt")), shiftKey: held.includes("Shift"),
        modifierAltGraph: held.includes("AltGraph")}))"""


@pytest.mark.parametrize("letter", [[], [("Ę", "KeyE")]], ids=["alone", "then a letter"])
@pytest.mark.parametrize("system", ALT_GR)
def test_alt_gr_and_shift_are_no_way_out(page, machine, system, letter):
    page.locator("canvas").click()
    pressed = ALT_GR[system] + letter
    for at, (key, code) in enumerate(pressed):
        page.evaluate(SEND, ["keydown", key, code, [name for name, _ in pressed[: at + 1]]])
    for at, (key, code) in reversed(list(enumerate(pressed))):
        page.evaluate(SEND, ["keyup", key, code, [name for name, _ in pressed[:at]]])
        expect(page.locator("canvas")).to_be_focused()
    assert wait_until(lambda: machine.typed() and not machine.guest.held)


@pytest.mark.parametrize("kind", ["keys were typed in between", "Alt-Graph is on"])
def test_only_the_three_alone_are_the_way_out(page, kind):
    page.locator("canvas").click()
    if kind == "Alt-Graph is on":
        for key, code in (("Control", "ControlLeft"), ("Alt", "AltLeft"), ("Shift", "ShiftLeft")):
            page.evaluate(SEND, ["keydown", key, code, ["Control", "AltGraph", "Shift"]])
        page.evaluate(SEND, ["keyup", "Shift", "ShiftLeft", ["Control", "AltGraph"]])
    else:
        page.keyboard.press("ControlLeft+AltLeft+ShiftLeft+F5")
    expect(page.locator("canvas")).to_be_focused()


def test_a_line_that_broke_leaves_no_modifier_behind(page, machine):
    page.locator("canvas").click()
    for key in ("ControlLeft", "AltLeft"):
        page.keyboard.down(key)
    assert wait_until(lambda: len(machine.guest.held) == 2)
    machine.hang_up()
    expect(page.locator("[data-console]")).to_have_attribute("data-state", "waiting")
    connected(page)
    assert wait_until(lambda: not machine.guest.held), machine.guest.keys


def test_typing_right_after_the_page_opened_goes_to_the_machine(console, machine):
    page = console.show(port=machine.port)
    page.keyboard.type("go?t/jnp")  # it may not be connected yet: then the keys go nowhere
    connected(page)
    expect(page.locator("canvas")).to_be_focused()
    page.keyboard.type("go")
    assert wait_until(lambda: machine.typed()[-2:] == [ord("g"), ord("o")])
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.url == console.url


@pytest.mark.parametrize("somewhere", [".console-note", "[data-do=scale]", "header.top"])
def test_keys_of_the_page_are_silent_beside_a_console(page, console, somewhere):
    page.locator(somewhere).first.click()
    for keys in ("go", "?", "/", "t", "j"):
        page.keyboard.type(keys)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#search")).not_to_be_focused()
    assert page.url == console.url


def test_a_person_who_is_elsewhere_keeps_the_focus(page, machine):
    page.locator("#search").click()
    machine.hang_up()
    expect(page.locator("[data-console]")).to_have_attribute("data-state", "waiting")
    connected(page)
    expect(page.locator("#search")).to_be_focused()


@pytest.mark.ganeti
def test_our_way_out_and_delete_do_not_reboot_a_real_machine(console, ganeti):
    """The keyboard guest's BIOS reboots at Ctrl-Alt-Del, and a modifier left held would change what it echoes."""
    guest = ganeti.add_guest()
    host, port = ganeti.vnc_address(guest)
    page = console.show(host=host, port=port)
    connected(page)
    with RfbClient(host, port) as direct:
        fresh = direct.wait_until_still()
        page.locator("canvas").click()
        page.keyboard.type("typed before")
        direct.wait_for_change(fresh)
        typed = direct.wait_until_still()
        page.keyboard.press("Control+Alt+Shift")
        expect(page.locator("[data-do=disconnect]")).to_be_focused()
        page.locator("canvas").click()
        page.keyboard.press("Delete")
        assert direct.wait_until_still(2.0) == typed
        for way in ("a click on a field", "a dialog of the page", "disconnect", "the page's end"):
            press_only(page, ["ControlLeft", "AltLeft"])
            (WAYS | ENDS)[way](page)
            # Two connections have no order between them: Delete follows on the same one, or after that one's end.
            if way in ("disconnect", "the page's end"):
                assert wait_until(lambda: connections_to(port) == 1)
                direct.press(DELETE)
            else:
                for key in ("AltLeft", "ControlLeft"):
                    page.keyboard.up(key)
                press_only(page, ["Delete"])
                page.keyboard.up("Delete")
            assert direct.wait_until_still(2.0) == typed, way
        direct.type("k")
        assert direct.wait_until_still() != typed  # as a letter, and not as Ctrl-K
        direct.press(CONTROL, ALT, DELETE)
        assert direct.wait_for_change(typed)
        assert direct.wait_until_still(2.0) == fresh
    ganeti.remove(guest)
