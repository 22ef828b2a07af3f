"""Typing without a keyboard of one's own: the touch keyboard, the menu of keys, and text that is pasted."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.messages import hear
from tests.browser.waiting import PATIENCE_MS
from tests.ganeti.rfb import RfbClient
from tests.vncproxy.screens import ALT, CONTROL, DELETE, Machine
from tests.vncproxy.test_loopback import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.feature("G049")]
ROOT = Path(__file__).resolve().parents[2]
SHIFT, WIN, RETURN, TAB, BACKSPACE, F1 = 0xFFE1, 0xFFEB, 0xFF0D, 0xFF09, 0xFF08, 0xFFBE
ALTGR = 0xFE03
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  const from = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      sum += entry.value;
      from.push(...entry.sources.map((each) => each.node?.outerHTML?.slice(0, 80)));
    }
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done([sum, from]), 300);
})"""


@pytest.fixture
def machine():
    """A machine that writes down its keys."""
    running = Machine()
    yield running
    running.close()


def connected(page):
    expect(page.locator("[data-console]")).to_have_attribute("data-state", "on")


@pytest.fixture
def page(console, machine):
    """The console's page, connected to it."""
    shown = console.show(port=machine.port)
    connected(shown)
    return shown


@pytest.fixture
def phone(chromium, console, machine):
    """The same on a phone."""
    console.tell("fault")
    console.tell("target", host="127.0.0.1", port=machine.port)
    context = chromium.new_context(**PHONE)
    context.set_default_timeout(PATIENCE_MS)
    shown = context.new_page()
    shown.goto(console.url)
    connected(shown)
    yield shown
    context.close()


def typed(machine, *keysyms):
    """Wait until these were the last keys, and none is held."""
    return wait_until(lambda: machine.typed()[-len(keysyms) :] == list(keysyms) and not machine.guest.held)


def change(page, text):
    """Make the hidden field's text another, as touch keyboards do."""
    page.evaluate(
        """(text) => {
            const field = document.querySelector("[data-part=field]");
            field.value = text === null ? field.value.slice(0, -1) : field.value.replace(/[^_].*$/, "") + text;
            field.dispatchEvent(new InputEvent("input", {bubbles: true}));
        }""",
        text,
    )


def test_a_phone_shows_its_keyboard_and_types(phone, machine):
    field = phone.locator("[data-part=field]")
    phone.get_by_role("button", name="Keyboard", exact=True).tap()
    expect(field).to_be_focused()
    expect(phone.get_by_role("button", name="Keyboard", exact=True)).to_have_attribute("aria-pressed", "true")
    change(phone, "ls")
    assert typed(machine, ord("l"), ord("s")), machine.guest.keys
    change(phone, "ls -A")
    assert typed(machine, ord(" "), ord("-"), SHIFT, ord("A")), machine.guest.keys
    change(phone, None)
    assert typed(machine, BACKSPACE), machine.guest.keys
    phone.keyboard.insert_text("łé😀")  # as it comes from a composition
    assert typed(machine, 0x1B3, 0xE9, 0x0101F600), machine.guest.keys
    phone.keyboard.press("Enter")
    assert typed(machine, RETURN), machine.guest.keys
    phone.locator("[data-part=screen] canvas").tap()
    expect(field).to_be_focused()  # pointing keeps the keyboard
    phone.get_by_role("button", name="Keyboard", exact=True).tap()
    expect(field).not_to_be_focused()


def test_a_correction_takes_back_what_was_typed(phone, machine):
    phone.get_by_role("button", name="Keyboard", exact=True).tap()
    change(phone, "teh")
    change(phone, "the ")
    assert typed(machine, *map(ord, "teh"), BACKSPACE, BACKSPACE, *map(ord, "he ")), machine.guest.keys


def test_erasing_never_ends(phone, machine):
    phone.get_by_role("button", name="Keyboard", exact=True).tap()
    for _ in range(130):
        change(phone, None)
    assert wait_until(lambda: machine.typed() == [BACKSPACE] * 130), machine.guest.keys


def test_a_modifier_of_the_menu_goes_with_the_next_key(phone, machine):
    phone.get_by_role("button", name="Keyboard", exact=True).tap()
    phone.get_by_role("button", name="Keys", exact=True).tap()
    control = phone.get_by_role("button", name="Ctrl", exact=True)
    control.tap()
    expect(control).to_have_attribute("aria-pressed", "true")
    expect(phone.locator("[data-part=field]")).to_be_focused()  # and the touch keyboard stays
    assert not machine.guest.held
    change(phone, "cd")
    assert typed(machine, CONTROL, ord("c"), ord("d")), machine.guest.keys
    assert machine.chords()[-2:] == [{CONTROL, ord("c")}, {ord("d")}]
    expect(control).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(("name", "keysym"), [("Ctrl", CONTROL), ("Alt", ALT), ("Shift", SHIFT), ("Win", WIN)])
def test_a_modifier_chosen_twice_is_pressed_alone(page, machine, name, keysym):
    page.get_by_role("button", name="Keys", exact=True).click()
    button = page.get_by_role("button", name=name, exact=True)
    button.click()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert wait_until(lambda: machine.typed() == [keysym] and not machine.guest.held), machine.guest.keys


@pytest.mark.parametrize("way", ["#search", ".console-note", "[data-do=ask-paste]", "[data-do=disconnect]"])
def test_a_modifier_that_waits_is_forgotten_with_the_keys(page, machine, way):
    page.get_by_role("button", name="Keys", exact=True).click()
    page.get_by_role("button", name="Ctrl", exact=True).click()
    page.locator(way).click()
    if way != "[data-do=disconnect]":
        expect(page.locator("[data-modifier=ctrl]")).to_have_attribute("aria-pressed", "false")
    page.evaluate("document.querySelector('dialog[open]')?.close()")
    if way == "[data-do=disconnect]":
        page.locator("[data-part=cover] [data-do=connect]").click()
        connected(page)
    page.locator("canvas").click()
    page.keyboard.press("x")
    assert wait_until(lambda: machine.typed() == [ord("x")]), machine.guest.keys


def test_every_key_of_the_menu_goes_down_and_up(page, machine):
    page.get_by_role("button", name="Keys", exact=True).click()
    buttons = page.locator("[data-part=pad] [data-do=key]")
    names = buttons.evaluate_all("all => all.map((each) => each.ariaLabel ?? each.textContent)")
    assert {"Esc", "Tab", *(f"F{n}" for n in range(1, 13)), *(f"Ctrl-Alt-F{n}" for n in range(1, 13))} <= set(names)
    seen = set()
    for index, name in enumerate(names):
        machine.guest.keys.clear()
        buttons.nth(index).focus()
        page.keyboard.press("Enter")
        assert wait_until(lambda: machine.guest.keys and not machine.guest.held), name
        chord = machine.chords()[-1]
        assert (chord >= {CONTROL, ALT}) == name.startswith("Ctrl-Alt-"), name
        seen.add(chord)
    assert len(seen) == len(names)
    assert frozenset({CONTROL, ALT, F1 + 1}) in seen


def test_ctrl_alt_del_of_a_phone_asks_first(phone, machine):
    phone.get_by_role("button", name="Keys", exact=True).tap()
    phone.locator("[data-part=pad] [data-do=ask-cad]").tap()
    assert DELETE not in machine.typed()
    phone.get_by_role("button", name="Send Ctrl-Alt-Del", exact=True).tap()
    assert wait_until(lambda: frozenset({CONTROL, ALT, DELETE}) in machine.chords())
    assert wait_until(lambda: not machine.guest.held)


def test_text_is_typed_key_by_key(page, machine):
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog", name="Paste text")
    type_it = dialog.get_by_role("button", name="Type it")
    expect(type_it).to_have_attribute("aria-disabled", "true")
    dialog.get_by_label("Text", exact=True).fill("Hi!\r\n\tü€\x07\u200b")
    expect(dialog).to_contain_text("No key of this layout types these, they are left out: ü € U+0007 U+200B")
    type_it.click()
    hear(page, "The text was typed.")
    expect(page.locator("canvas")).to_be_focused()
    wanted = [SHIFT, ord("H"), ord("i"), SHIFT, ord("!"), RETURN, TAB]
    assert wait_until(lambda: machine.typed() == wanted and not machine.guest.held), machine.guest.keys
    page.get_by_role("button", name="Paste text").click()
    expect(dialog.get_by_label("Text", exact=True)).to_have_value("")  # it may have been a password


# Of each layout what its users know by heart: the strokes for a text, each the key and what is held (+ Shift, ~ AltGr).
STROKES = {
    "us": ("y@\\/", "KeyY +Digit2 Backslash Slash"),
    "gb": ('"@#~\\', "+Digit2 +Quote Backslash +Backslash IntlBackslash"),
    "de": ("zy/@{ß^ê", "KeyY KeyZ +Digit7 ~KeyQ ~Digit7 Minus Backquote Space Backquote KeyE"),
    "fr": ("aq1@ê", "KeyQ KeyA +Digit1 ~Digit0 BracketLeft KeyE"),
    "es": ("ñ@á/", "Semicolon ~Digit2 Quote KeyA +Digit7"),
    "pt": ("çã", "Semicolon Backslash KeyA"),
    "se": ("å/|", "BracketLeft +Digit7 ~IntlBackslash"),
}
READ_STROKES = """async (all) => {
  const from = document.querySelector("script[src*='js/console.js']").src;
  const { sort, strokesOf } = await import(new URL("console-strokes.js", from).href);
  const { layouts } = await import(new URL("console-layouts.js", from).href);
  const held = ["", "+", "~", "+~"];
  const read = ([name, [text]]) => [...text]
    .flatMap((each) => strokesOf(name, each).map(([, key, line]) => held[line] + key)).join(" ");
  const ascii = Array.from({ length: 95 }, (_, at) => String.fromCodePoint(32 + at)).join("");
  const lost = Object.fromEntries(Object.keys(layouts).map((name) => [name, sort(name, ascii).lost]));
  return [Object.fromEntries(Object.entries(all).map((each) => [each[0], read(each)])), lost];
}"""


@pytest.mark.feature("G007")
def test_every_layout_types_all_of_ascii_by_its_own_keys(page):
    strokes, lost = page.evaluate(READ_STROKES, STROKES)
    assert strokes == {name: keys for name, (_, keys) in STROKES.items()}
    assert len(lost) >= 20
    assert {name: some for name, some in lost.items() if some} == {}
    page.get_by_role("button", name="Paste text").click()
    chosen = page.get_by_label("Keyboard layout of the machine")
    offered = chosen.locator("option").evaluate_all("all => all.map((each) => each.value)")
    assert sorted(offered) == sorted(lost)


@pytest.mark.feature("G007")
def test_the_layout_is_chosen_held_to_and_remembered(page, machine):
    page.get_by_role("button", name="Paste text").click()
    chosen = page.get_by_label("Keyboard layout of the machine")
    text = page.get_by_label("Text", exact=True)
    text.fill("a@ü")
    expect(page.get_by_role("dialog", name="Paste text")).to_contain_text("they are left out: ü")
    chosen.select_option("German")
    expect(page.get_by_role("dialog", name="Paste text")).not_to_contain_text("left out")
    page.get_by_role("button", name="Type it").click()
    wanted = [ord("a"), ALTGR, ord("@"), 0xFC]
    assert wait_until(lambda: machine.typed() == wanted and not machine.guest.held), machine.guest.keys
    assert frozenset({ALTGR, ord("@")}) in machine.chords()
    page.reload()
    connected(page)
    page.get_by_role("button", name="Paste text").click()
    expect(chosen).to_have_value("de")


@pytest.mark.parametrize("way", ["Stop", "Cancel", "Escape"])
def test_typing_of_text_can_be_stopped(page, machine, way):
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog", name="Paste text")
    dialog.get_by_label("Text", exact=True).fill("A" * 500)
    dialog.get_by_role("button", name="Type it").click()
    expect(dialog.get_by_role("progressbar", name="Typed so far")).to_be_visible()
    assert wait_until(lambda: len(machine.typed()) > 4)
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        dialog.get_by_role("button", name=way).click()
    if way == "Stop":
        expect(dialog).to_contain_text(re.compile(r"Stopped after \d+ of 500 characters"))
    else:
        expect(dialog).not_to_be_visible()
    count = len(machine.typed())
    page.wait_for_timeout(300)
    assert len(machine.typed()) <= count + 2  # one may have been on its way
    assert not machine.guest.held


def test_a_line_that_breaks_stops_the_typing_and_says_where(page, machine):
    page.get_by_role("button", name="Paste text").click()
    dialog = page.get_by_role("dialog", name="Paste text")
    dialog.get_by_label("Text").fill("a" * 500)
    dialog.get_by_role("button", name="Type it").click()
    assert wait_until(lambda: len(machine.typed()) > 2)
    machine.hang_up()
    expect(dialog).to_contain_text(re.compile(r"The connection was lost after \d+ of 500 characters"))
    expect(dialog.get_by_label("Text")).to_have_value("a" * 500)


@pytest.mark.parametrize("path", ["", "?obstacle=The+machine+is+not+running.&start=%7B%22allowed%22%3Atrue%7D"])
def test_nothing_moves_on_a_phone_while_it_connects(phone, console, path):
    console.tell("fault", status=409, error="The machine is rebooting.")  # so that the page is drawn before it connects
    phone.goto(console.url + path)
    if path:
        expect(phone.locator("[data-console]")).to_have_attribute("data-state", "off")
    else:
        expect(phone.locator("[data-console]")).to_have_attribute("data-state", "waiting")
        expect(phone.locator("[data-part=detail]")).to_contain_text("reconnecting in 1 s")
        console.tell("fault")
        connected(phone)
    expect(phone.locator("[data-do=pad]")).to_have_attribute("aria-disabled", "true" if path else "false")
    moved, what = phone.evaluate(SHIFTS)
    assert moved <= 0.02, what


@pytest.mark.parametrize("width", [320, 390])
def test_fingers_find_every_button(phone, width):
    phone.set_viewport_size({"width": width, "height": 700})
    phone.get_by_role("button", name="Keys", exact=True).tap()
    sizes = phone.locator("[data-console] :is(button, a, summary):visible").evaluate_all(
        "all => all.map((each) => [each.textContent.trim(), each.offsetWidth, each.offsetHeight])"
    )
    assert len(sizes) > 40
    assert [each for each in sizes if min(each[1:]) < 44] == []
    assert phone.evaluate("document.documentElement.scrollWidth") == width


def test_every_sentence_of_the_scripts_stands_in_the_template():
    template = (ROOT / "templates/virtualmachines/_console.html").read_text()
    scripts = "".join(path.read_text() for path in (ROOT / "static/js").glob("console*.js"))
    used = set(re.findall(r'ord\("([\w-]+)"', scripts)) | set(re.findall(r'name\("[\w-]+", "([\w-]+)"', scripts))
    assert used == set(re.findall(r'data-word="([\w-]+)"', template))


@pytest.mark.ganeti
def test_pasted_text_and_a_touch_keyboard_write_the_same_on_a_real_machine(console, ganeti):
    """As a keyboard does it, Shift and all: compared with what a VNC client with a real Shift writes."""
    guest = ganeti.add_guest()
    host, port = ganeti.vnc_address(guest)
    text = "The quick Fox: ~!@#$%^&*()_+ [x] {Y} \\ | 'q' \"Q\" <>?/.,"
    page = console.show(host=host, port=port)
    connected(page)
    with RfbClient(host, port) as direct:
        fresh = direct.wait_until_still()
        for character in text:
            held = (SHIFT,) if character.isupper() or character in '~!@#$%^&*()_+{}|:"<>?' else ()
            direct.press(*held, ord(character))
            direct.take_pending(0.05)
        wanted = direct.wait_until_still(1.0)
        assert wanted != fresh
        for way in ("paste", "touch"):
            direct.press(CONTROL, ALT, DELETE)
            direct.wait_for_change(wanted)
            assert direct.wait_until_still(2.0) == fresh
            if way == "paste":
                page.get_by_role("button", name="Paste text").click()
                page.locator("[data-part=paste-text]").fill(text)
                page.get_by_role("button", name="Type it").click()
                hear(page, "The text was typed.")
            else:
                page.evaluate("document.querySelector('[data-do=keyboard]').click()")
                for end in range(4, len(text) + 4, 4):
                    change(page, text[:end])
                    direct.take_pending(0.2)
            assert direct.wait_until_still(1.0) == wanted, way
        direct.press(CONTROL, ALT, DELETE)
        direct.wait_for_change(wanted)
        assert direct.wait_until_still(2.0) == fresh
        for character in "y-/":
            direct.press(ord(character))
        by_hand = direct.wait_until_still(1.0)
        direct.press(CONTROL, ALT, DELETE)
        direct.wait_for_change(by_hand)
        assert direct.wait_until_still(2.0) == fresh
        page.get_by_role("button", name="Paste text").click()
        page.get_by_label("Keyboard layout of the machine").select_option("German")
        page.get_by_label("Text", exact=True).fill("zß-")
        page.get_by_role("button", name="Type it").click()
        direct.wait_for_change(fresh)
        assert direct.wait_until_still(1.0) == by_hand, "the keys go there, whatever the guest takes them for"
    ganeti.remove(guest)
