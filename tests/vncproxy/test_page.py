"""The console's page in Chromium: what a person sees of a line that stands, breaks and comes back."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.messages import hear
from tests.browser.waiting import PATIENCE_MS, PATIENCE_S, wait_for_script
from tests.vncproxy.conftest import make_certificate, serve
from tests.vncproxy.ends import SERVER_INIT_NAME
from tests.vncproxy.test_loopback import wait_until
from vncproxy.client import close_consoles, list_consoles

pytestmark = pytest.mark.browser
COLOURS = """() => {
  const canvas = document.querySelector("[data-console] canvas");
  if (!canvas?.width) return {};
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const found = {};
  for (let i = 0; i < data.length; i += 4) {
    const name = `${data[i]},${data[i + 1]},${data[i + 2]}`;
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}"""
BLUE = "0,0,168"
# A message that does not leave by itself.
STAYS = """document.dispatchEvent(new CustomEvent("toast", {detail: {text: "It failed.", level: "error"}}))"""
# Whether nothing lies over an element.
DRAWN = """(element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


def state(page, name, **patience):
    expect(page.locator("[data-console]")).to_have_attribute("data-state", name, **patience)


@pytest.mark.feature("F206")
def test_connects_and_disconnects(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    expect(page.locator(".console-status")).to_contain_text("connected")
    # The name that the machine gives itself is text, whatever it holds (CVE-2017-18635).
    expect(page.locator("[data-part=detail]")).to_have_text(f"{SERVER_INIT_NAME.decode()}, 64 × 48")  # noqa: RUF001
    assert page.locator("img[src=x]").count() == 0
    page.locator(".console-bar [data-do=disconnect]").click()
    state(page, "off")
    page.locator(".console-bar [data-do=connect]").click()
    state(page, "on")


@pytest.mark.feature("G006")
def test_connects_again_with_a_new_ticket_when_the_machine_hangs_up(console, vnc):
    first = vnc(after="close")
    page = console.show(port=first.port)
    state(page, "waiting")
    expect(page.locator("[data-part=title]")).to_contain_text("stopped, restarted or moved")
    expect(page.locator("[data-part=detail]")).to_contain_text("reconnecting in")
    before = console.tell("target", host="127.0.0.1", port=vnc(after="listen").port)["tickets"]
    state(page, "on")
    assert console.tell("fault")["tickets"] > before


@pytest.mark.feature("G006")
def test_says_why_and_what_helps_and_goes_on_trying(console, vnc):
    page = console.show(port=vnc(after="close").port)
    state(page, "waiting")
    console.tell("fault", status=409, error="The machine is not running.")
    expect(page.locator("[data-part=title]")).to_have_text("The machine is not running.")
    expect(page.locator("[data-part=text]")).to_have_text("Do something about it.")
    console.tell("target", host="127.0.0.1", port=vnc(after="listen").port)
    console.tell("fault")
    page.locator("[data-part=cover] [data-do=connect]").click()
    state(page, "on")


@pytest.mark.parametrize(
    ("status", "error", "remedy"),
    [(403, "You may not.", "Do something about it."), (404, "Gone.", "Do something about it.")],
)
def test_a_refusal_is_final(console, vnc, status, error, remedy):
    page = console.show(port=vnc(after="close").port)
    state(page, "waiting")
    console.tell("fault", status=status, error=error)
    state(page, "failed")
    expect(page.locator("[data-part=title]")).to_have_text(error)
    expect(page.locator("[data-part=text]")).to_have_text(remedy)


def test_a_wrong_node_password_is_not_tried_again(console, vnc):
    page = console.show(port=vnc(password="right").port)
    state(page, "failed")
    expect(page.locator("[data-part=title]")).to_contain_text("asks for a VNC password")


def test_a_closed_port_is_explained(console):
    page = console.show(port=1)
    state(page, "waiting")
    expect(page.locator("[data-part=title]")).to_contain_text("No console answered")


def test_an_obstacle_known_beforehand_is_shown_without_trying(console):
    before = console.tell("fault")["tickets"]
    page = console.show("?obstacle=The+machine+is+not+running.", port=1)
    state(page, "off")
    expect(page.locator("[data-part=title]")).to_have_text("The machine is not running.")
    assert console.tell("fault")["tickets"] == before


MAY_START = '{"allowed": true, "reason": ""}'
MAY_NOT_START = '{"allowed": false, "reason": "You may not start it."}'


@pytest.mark.parametrize("known", ["beforehand", "from the refusal"])
def test_a_stopped_machine_is_started_from_here_and_shows_its_screen(console, vnc, known):
    stopped = "The machine is not running."
    server = vnc(after="listen")
    if known == "beforehand":
        page = console.show("?" + urlencode({"obstacle": stopped, "start": MAY_START}), port=server.port)
        state(page, "off")
    else:
        page = console.show(port=vnc(after="close").port)
        console.tell("fault", status=409, error=stopped, start=MAY_START)
        expect(page.locator("[data-part=title]")).to_have_text(stopped)
        console.tell("target", host="127.0.0.1", port=server.port)
    cover = page.locator("[data-part=cover]")
    expect(cover.get_by_role("button")).to_have_count(0)
    console.tell("fault")
    cover.get_by_role("link", name="Start").click()
    page.locator("#dialog").get_by_role("button", name="Start").click()
    hear(page, "Start of web1 is under way.")
    state(page, "on")


def test_who_may_not_start_it_reads_why(console):
    page = console.show("?" + urlencode({"obstacle": "The machine is not running.", "start": MAY_NOT_START}), port=1)
    state(page, "off")
    expect(page.locator("[data-part=cover]")).to_contain_text("You may not start it.")
    expect(page.locator("[data-part=start]")).not_to_be_visible()


@pytest.mark.feature("F207")
def test_closed_by_an_administrator_it_stays_closed(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    close_consoles(console.control, user_id=7, reason="The right was withdrawn.")
    state(page, "failed", timeout=PATIENCE_MS)
    expect(page.locator("[data-part=title]")).to_contain_text("The right was withdrawn.")


def test_leaving_the_page_closes_the_console(console, vnc):
    server = vnc(after="listen")
    page = console.show(port=server.port)
    state(page, "on")
    page.goto("about:blank")
    assert server.closed.wait(PATIENCE_S)
    assert list_consoles(console.control) == []


@pytest.mark.feature("F212")
def test_ctrl_alt_del_asks_first(console, vnc):
    server = vnc(after="listen")
    page = console.show(port=server.port)
    state(page, "on")
    delete_pressed = bytes.fromhex("040100000000ffff")
    page.locator(".console-bar [data-do=ask-cad]").click()
    page.get_by_role("button", name="Cancel").click()
    assert delete_pressed not in server.received
    page.locator(".console-bar [data-do=ask-cad]").click()
    page.get_by_role("button", name="Send Ctrl-Alt-Del").click()
    expect(page.locator("canvas")).to_be_focused()
    assert wait_until(lambda: delete_pressed in server.received)


def test_keys_are_taken_by_a_click_and_given_back(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    expect(page.locator("canvas")).to_be_focused()  # on connecting
    page.locator("#search").click()
    page.locator("canvas").click()
    expect(page.locator("canvas")).to_be_focused()
    page.keyboard.press("Control+Alt+Shift")
    expect(page.locator("[data-do=disconnect]")).to_be_focused()
    page.keyboard.press("Tab")  # and the page is the keyboard's again
    expect(page.locator("[data-do=pad]")).to_be_focused()


@pytest.mark.feature("F214")
def test_power_buttons_keep_the_console(console, vnc):
    page = console.show("window", port=vnc(after="listen").port)
    state(page, "on")
    page.locator(".console-bar").get_by_role("link", name="Reboot").click()
    page.locator("#dialog").get_by_role("button", name="Reboot").click()
    hear(page, "Reboot of web1 is under way.")
    expect(page.locator("#dialog")).not_to_be_visible()
    state(page, "on")


@pytest.mark.feature("F213")
def test_pops_out_into_a_window_that_fits(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    with console.context.expect_page() as opened:
        page.locator("[data-do=popout]").click()
    window = opened.value
    state(window, "on")
    state(page, "off")
    expect(window.locator("canvas")).to_be_focused()
    assert window.evaluate("innerWidth <= screen.availWidth && innerHeight <= screen.availHeight")


@pytest.mark.parametrize("closed", ["by the person", "from the page"])
def test_a_window_that_is_closed_gives_the_screen_back(console, vnc, closed):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    with console.context.expect_page() as opened:
        page.locator("[data-do=popout]").click()
    state(opened.value, "on")
    state(page, "off")
    if closed == "by the person":
        opened.value.close()
    else:
        page.locator("[data-part=cover] [data-do=connect]").click()
    state(page, "on")
    expect(page.locator("[data-part=screen] canvas")).to_be_focused()
    assert wait_until(lambda: len(console.context.pages) == 1)


def test_full_screen_is_left_by_the_same_button_and_shows_messages(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    page.get_by_role("button", name="Full screen", exact=True).click()
    page.get_by_role("button", name="Paste text").click()
    page.locator("[data-part=paste-text]").fill("x")
    page.get_by_role("button", name="Type it").click()
    hear(page, "The text was typed.")
    page.evaluate(STAYS)
    said = page.locator("#toasts .is-error [data-closes-toast]")
    assert said.evaluate(DRAWN)
    page.get_by_role("button", name="Leave full screen").click()
    expect(page.get_by_role("button", name="Full screen", exact=True)).to_be_visible()
    assert page.evaluate("document.fullscreenElement === null")
    assert said.evaluate(DRAWN)


def test_scales_and_remembers_it(console, vnc):
    page = console.show(port=vnc(after="listen").port)
    state(page, "on")
    assert page.locator("canvas").bounding_box()["height"] > 200
    page.locator("[data-do=scale]").click()
    assert page.locator("canvas").bounding_box()["height"] == 48
    page.reload()
    state(page, "on")
    assert page.locator("canvas").bounding_box()["height"] == 48


@pytest.mark.feature("F211")
def test_under_https_the_console_is_encrypted(chromium, vnc, tmp_path):
    certificate, key = make_certificate(tmp_path)
    server = vnc(after="listen")
    at = {"CERTIFICATE": str(certificate), "KEY": str(key), "VNC_HOST": "127.0.0.1", "VNC_PORT": str(server.port)}
    with serve(tmp_path, **at) as site:
        context = chromium.new_context(ignore_https_errors=True)
        page = context.new_page()
        with page.expect_websocket() as opened:
            page.goto(site.url)
        assert opened.value.url == site.url.replace("https:", "wss:") + "console/ws"  # and no ticket in it
        state(page, "on")
        context.close()


def test_without_a_script_it_says_so(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator(".console-cover")).to_contain_text("without JavaScript")
    expect(page.locator("[data-do=connect]").first).not_to_be_visible()
    context.close()


@pytest.mark.ganeti
@pytest.mark.feature("F206", "F209", "G006")
def test_shows_a_real_machine_types_into_it_and_survives_its_migration_and_restart(console, ganeti):
    guest = ganeti.add_guest()

    def point_at_it():
        host, port = ganeti.vnc_address(guest)
        console.tell("target", host=host, port=port)
        return {"host": host, "port": port}

    def wait_for(page, condition):
        wait_for_script(page, f"() => {{ const colours = ({COLOURS})(); return {condition}; }}")

    page = console.show(**point_at_it())
    state(page, "on")
    wait_for(page, f"colours['{BLUE}'] > 10000")
    before = page.evaluate(COLOURS)
    page.locator("canvas").click()
    page.keyboard.press("k")
    wait_for(page, f"colours['{BLUE}'] !== {before[BLUE]}")
    ganeti.migrate(guest)
    state(page, "waiting")
    point_at_it()
    state(page, "on")
    wait_for(page, f"colours['{BLUE}'] > 10000")
    ganeti.gnt("instance", "reboot", "--type=hard", guest)
    point_at_it()
    state(page, "on")
    wait_for(page, f"colours['{BLUE}'] > 10000")
    ganeti.remove(guest)
