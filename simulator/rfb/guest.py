"""What the machine on the screen does: it boots, shows a clock, and answers at a prompt."""

import threading
import time
from collections import deque
from collections.abc import Callable

from simulator.rfb.screen import BLACK, BLUE, COLUMNS, CYAN, GREEN, GREY, RED, WHITE, YELLOW, Cell, TextScreen

BOOT_LINES = (
    (0.2, "SeaBIOS (version 1.16.3-sim)"),
    (0.3, "Booting from Hard Disk..."),
    (0.3, "[    0.000000] Linux version 6.12.0-sim (gcc 14.2.0)"),
    (0.2, "[    0.004213] Command line: root=/dev/vda1 ro quiet"),
    (0.2, "[    0.118230] Memory: {memory} MiB available, {vcpus} CPU(s)"),
    (0.2, "[    0.402117] virtio_blk virtio1: [vda] {disk} MiB"),
    (0.3, "[    0.611904] EXT4-fs (vda1): mounted filesystem with ordered data mode"),
    (0.2, "[    0.930551] virtio_net virtio0 eth0: link is up, {mac}"),
    (0.3, "[  OK  ] Started System Logging Service."),
    (0.2, "[  OK  ] Started OpenSSH server daemon."),
    (0.3, "[  OK  ] Reached target Multi-User System."),
    (0.3, ""),
)
PROMPT = "root@{host}:~# "
HELP = "Commands: help, date, uptime, free, whoami, echo TEXT, color, clear, dmesg"
BACKSPACE, RETURN, KEYPAD_ENTER, CONTROL_LEFT, CONTROL_RIGHT = 0xFF08, 0xFF0D, 0xFF8D, 0xFFE3, 0xFFE4
KEYS_KEPT = 1000
INKS = {"white": WHITE, "green": GREEN, "yellow": YELLOW, "cyan": CYAN, "red": RED}


class Guest:
    """One boot of one machine; ``facts`` has host, memory, vcpus, disk and mac."""

    def __init__(self, facts: dict[str, str], clock: Callable[[], float] = time.time) -> None:
        self.facts = facts
        self.clock = clock
        self.screen = TextScreen()
        self.booted_at = clock()
        self.next_line = 0
        self.due = self.booted_at
        self.line = ""
        self.control = False
        self.keys: deque[tuple[int, bool]] = deque(maxlen=KEYS_KEPT)  # keysyms as they came, and whether they went down
        self.held: set[int] = set()
        self.lock = threading.RLock()  # several clients may watch and type
        self.screen.row = 1
        self.tick()

    @property
    def ready(self) -> bool:
        return self.next_line > len(BOOT_LINES)

    def look(self) -> list[list[Cell]]:
        """What the screen shows now."""
        with self.lock:
            self.tick()
            cells = self.screen.snapshot()
            row, column = self.screen.row, min(self.screen.column, COLUMNS - 1)
            cells[row][column] = (cells[row][column][0], BLACK, GREY)  # the cursor
            return cells

    def tick(self) -> None:
        """Do what is due: more of the boot log, the clock."""
        moment = self.clock()
        while self.next_line < len(BOOT_LINES) and moment >= self.due:
            pause, text = BOOT_LINES[self.next_line]
            self.print_boot_line(text.format(**self.facts))
            self.next_line += 1
            self.due += pause
        if self.next_line == len(BOOT_LINES) and moment >= self.due:
            self.next_line += 1
            self.screen.write(f"{self.facts['host']} tty1 -- simulated machine, type help\n\n", WHITE)
            self.prompt()
        title = f" {self.facts['host']}"
        shown = time.strftime("%Y-%m-%d %H:%M:%S ", time.gmtime(moment))
        self.screen.put(0, 0, title + shown.rjust(COLUMNS - len(title)), WHITE, BLUE)

    def print_boot_line(self, text: str) -> None:
        if text.startswith("[  OK  ]"):
            self.screen.write("[  ")
            self.screen.write("OK", GREEN)
            self.screen.write(text[5:] + "\n")
        else:
            self.screen.write(text + "\n")

    def prompt(self) -> None:
        self.line = ""
        self.screen.write(PROMPT.format(host=self.facts["host"].partition(".")[0]), GREEN)

    def key(self, keysym: int, down: bool) -> None:
        """Take a key as X11 names it; before the prompt is there nothing listens."""
        with self.lock:
            self.keys.append((keysym, down))
            if down:
                self.held.add(keysym)
            else:
                self.held.discard(keysym)
            self.take_key(keysym, down)

    def take_key(self, keysym: int, down: bool) -> None:
        if keysym in (CONTROL_LEFT, CONTROL_RIGHT):
            self.control = down
            return
        if not down or not self.ready:
            return
        if keysym in (RETURN, KEYPAD_ENTER):
            self.screen.write("\n")
            self.run(self.line.strip())
            self.prompt()
        elif keysym == BACKSPACE:
            if self.line:
                self.line = self.line[:-1]
                self.screen.write("\b")
        elif self.control:
            self.control_key(keysym)
        elif 32 <= keysym < 127:
            self.line += chr(keysym)
            self.screen.write(chr(keysym), WHITE)

    def control_key(self, keysym: int) -> None:
        if keysym == ord("c"):
            self.screen.write("^C\n")
            self.prompt()
        elif keysym == ord("l"):
            self.clear()
            self.prompt()

    def clear(self) -> None:
        self.screen.clear()
        self.screen.row = 1
        self.tick()

    def run(self, command: str) -> None:
        word, _, rest = command.partition(" ")
        seconds = int(self.clock() - self.booted_at)
        answers = {
            "": "",
            "help": HELP,
            "date": time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(self.clock())),
            "uptime": f"up {seconds // 60} min {seconds % 60} s",
            "free": f"Mem: {self.facts['memory']} MiB",
            "whoami": "root",
            "echo": rest,
            "dmesg": "\n".join(text.format(**self.facts) for _, text in BOOT_LINES[2:8]),
        }
        if word == "clear":
            self.clear()
        elif word == "color":
            for name, ink in INKS.items():
                self.screen.write(name + " ", ink)
            self.screen.write("\n")
        elif word in answers:
            self.screen.write(answers[word] + "\n" if answers[word] else "")
        else:
            self.screen.write(f"sh: {word}: command not found\n", YELLOW)
