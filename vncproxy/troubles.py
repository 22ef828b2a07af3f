"""Everything that can end a console, with the WebSocket close code and the sentence a person reads.

The codes are in the range that RFC 6455 leaves to applications (4000-4999). ``static/js/console.js`` decides by them
whether it tries again: keep the two in step.
"""

from enum import Enum

REASON_LIMIT_BYTES = 123  # RFC 6455 5.5: a control frame carries 125 bytes, two of them are the code


class Trouble(Enum):
    """Why a console ended: close code, sentence for the person."""

    BAD_TICKET = (4010, "The console ticket is not valid. Open the console again.")
    EXPIRED = (4011, "The console ticket has expired. Open the console again.")
    USED = (4012, "The console ticket has been used already. Open the console again.")
    ADDRESS = (4013, "Consoles may not be opened from your network address.")
    FULL = (4014, "Too many consoles are open. Close one, or try again later.")
    MEMORY_DOWN = (4015, "Used tickets can't be looked up just now. Try again in a moment.")

    # One for every reason, so that nobody can tell by it which ports and addresses answer; the log has the reason.
    UNREACHABLE = (4021, "No console answered on the machine's node. The machine may have stopped; the log says more.")

    PASSWORD_WRONG = (4030, "The node did not accept the VNC password.")
    PASSWORD_MISSING = (4031, "The machine asks for a VNC password, and none is set for its cluster.")
    NO_METHOD = (4033, "The machine's VNC asks for a login method that consoles don't know (vnc_tls?).")
    NODE_SAID_NO = (4034, "The machine's VNC refused")

    NODE_CLOSED = (4040, "The machine closed the console: it was stopped, restarted or moved.")
    BROWSER_GONE = (4041, "The browser went away.")
    BROWSER_SILENT = (4042, "The browser has not answered for a while.")

    NO_PICTURE = (4043, "The machine's VNC sent no picture of its screen in time, or none that can be shown.")
    BUSY = (4044, "Too many pictures are being taken. Try again in a moment.")

    CLOSED_BY_STAFF = (4050, "The console was closed.")
    IDLE = (4052, "The console was closed because nothing happened in it for a long time.")
    SHUTTING_DOWN = (4051, "The console broker is restarting.")

    BROWSER_LOGIN = (4060, "The console login failed. Open the console again.")
    BROWSER_PROTOCOL = (4061, "The browser did not keep to the protocol.")
    BROWSER_SLOW = (4062, "The browser took too long to log in to the console.")
    TOO_BIG = (1009, "A message was larger than consoles accept.")
    INTERNAL = (1011, "The console broker met an unexpected error.")

    @property
    def code(self) -> int:
        """The WebSocket close code."""
        return self.value[0]

    def reason(self, detail: str = "") -> str:
        """The sentence, with a detail where there is one, cut to what a close frame can carry."""
        text = self.value[1]
        if detail:
            text = f"{text.removesuffix('.')}: {printable(detail)}"
        raw = text.encode()
        if len(raw) <= REASON_LIMIT_BYTES:
            return text
        return raw[: REASON_LIMIT_BYTES - 3].decode(errors="ignore") + "…"


class ConsoleError(Exception):
    """A console can't be opened or has to end; carries the trouble and what the other side said."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(trouble.reason(detail))
        self.trouble = trouble
        self.detail = detail


def printable(text: str) -> str:
    """Foreign text on one line, without control characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
