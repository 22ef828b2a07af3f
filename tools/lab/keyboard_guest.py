"""A guest that boots in a second and answers the keyboard: one sector of real-mode code, and the OS that installs it.

The code is assembled here, from the table below, so that no assembler and no binary file is needed. It

* fills the screen of 80 by 25 characters with white on blue, prints a banner and a prompt, and hides the cursor (a
  cursor that blinks would change pixels by itself);
* echoes every character typed; Enter starts a new prompt; Ctrl-Alt-Del is the BIOS's and boots anew;
* switches itself off when the ACPI power button is pressed, which is what ``gnt-instance shutdown`` does, so that
  shutting it down takes a second rather than the whole time-out.
"""

from __future__ import annotations

from dataclasses import dataclass

OS_NAME = "gwm-keyboard"
BANNER = "GWM TEST GUEST"
PROMPT = "> "
LOAD_ADDRESS = 0x7C00  # where a BIOS puts the first sector
SECTOR = 512


@dataclass(frozen=True)
class Label:
    """A place in the code."""

    name: str


@dataclass(frozen=True)
class Near:
    """An instruction whose last byte (or, for a call, two) is the distance to a label."""

    opcode: bytes
    label: str
    width: int = 1


@dataclass(frozen=True)
class Address:
    """An instruction that ends with the address of a label."""

    opcode: bytes
    label: str


Item = bytes | Label | Near | Address

# What a boot sector begins with: all segments and the stack are where it lies.
SETTLED: tuple[Item, ...] = (
    b"\xfa",  # cli
    b"\x31\xc0",  # xor ax, ax
    b"\x8e\xd8",  # mov ds, ax
    b"\x8e\xc0",  # mov es, ax
    b"\x8e\xd0",  # mov ss, ax
    b"\xbc\x00\x7c",  # mov sp, 0x7c00
    b"\xfb",  # sti
    b"\xfc",  # cld
)
_PROGRAM: tuple[Item, ...] = (
    *SETTLED,
    b"\xb8\x03\x00",  # mov ax, 0x0003     set video mode 3: text, 80x25
    b"\xcd\x10",  # int 0x10
    b"\xb8\x00\x06",  # mov ax, 0x0600     scroll the whole window away ...
    b"\xb7\x1f",  # mov bh, 0x1f       ... leaving white on blue
    b"\x31\xc9",  # xor cx, cx         from the upper left corner
    b"\xba\x4f\x18",  # mov dx, 0x184f     to column 79 of row 24
    b"\xcd\x10",  # int 0x10
    b"\xb4\x01",  # mov ah, 0x01       set the cursor's shape
    b"\xb9\x00\x20",  # mov cx, 0x2000     invisible
    b"\xcd\x10",  # int 0x10
    b"\xba\x02\x06",  # mov dx, 0x0602     PIIX4 power management, enable register
    b"\xb8\x00\x01",  # mov ax, 0x0100     the power button
    b"\xef",  # out dx, ax
    Address(b"\xbe", "banner"),  # mov si, banner
    Near(b"\xe8", "print", 2),  # call print
    Label("new_prompt"),
    Address(b"\xbe", "prompt"),  # mov si, prompt
    Near(b"\xe8", "print", 2),  # call print
    Label("idle"),
    b"\xf4",  # hlt                until the clock (18 times a second) or a key
    b"\xb4\x01",  # mov ah, 0x01       is there a key?
    b"\xcd\x16",  # int 0x16
    Near(b"\x75", "key"),  # jnz key
    b"\xba\x00\x06",  # mov dx, 0x0600     PIIX4 power management, status register
    b"\xed",  # in ax, dx
    b"\xf6\xc4\x01",  # test ah, 0x01      the power button
    Near(b"\x74", "idle"),  # jz idle
    b"\xba\x04\x06",  # mov dx, 0x0604     PIIX4 power management, control register
    b"\xb8\x00\x20",  # mov ax, 0x2000     sleep enable, type 0: soft off
    b"\xef",  # out dx, ax
    Near(b"\xeb", "idle"),  # jmp idle
    Label("key"),
    b"\x30\xe4",  # xor ah, ah         take the key
    b"\xcd\x16",  # int 0x16
    b"\x3c\x0d",  # cmp al, 13         Enter?
    Near(b"\x74", "new_prompt"),  # je new_prompt
    b"\x84\xc0",  # test al, al        a key without a character?
    Near(b"\x74", "idle"),  # jz idle
    Near(b"\xe8", "type", 2),  # call type
    Near(b"\xeb", "idle"),  # jmp idle
    Label("print"),
    b"\xac",  # lodsb
    b"\x84\xc0",  # test al, al
    Near(b"\x74", "return"),  # jz return
    Near(b"\xe8", "type", 2),  # call type
    Near(b"\xeb", "print"),  # jmp print
    Label("type"),
    b"\xb4\x0e",  # mov ah, 0x0e       type a character as on a terminal
    b"\xbb\x07\x00",  # mov bx, 7          page 0
    b"\xcd\x10",  # int 0x10
    Label("return"),
    b"\xc3",  # ret
    Label("banner"),
    f"\r\n  {BANNER}\r\n\r\n  Type: every key is answered here.\r\n\0".encode("ascii"),
    Label("prompt"),
    f"\r\n  {PROMPT}\0".encode("ascii"),
)


def _size(item: Item) -> int:
    match item:
        case bytes():
            return len(item)
        case Label():
            return 0
        case Near():
            return len(item.opcode) + item.width
        case Address():
            return len(item.opcode) + 2


def assemble(program: tuple[Item, ...] = _PROGRAM) -> bytes:
    """The boot sector: code, padding, and the signature that makes a BIOS boot it."""
    places = {}
    position = 0
    for item in program:
        if isinstance(item, Label):
            places[item.name] = position
        position += _size(item)
    code = bytearray()
    for item in program:
        match item:
            case bytes():
                code += item
            case Near():
                after = len(code) + _size(item)
                code += item.opcode + (places[item.label] - after).to_bytes(item.width, "little", signed=True)
            case Address():
                code += item.opcode + (LOAD_ADDRESS + places[item.label]).to_bytes(2, "little")
    if len(code) > SECTOR - 2:
        raise ValueError(f"{len(code)} bytes of code don't fit into a boot sector")
    return bytes(code).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


_CREATE = """\
#!/bin/sh
# Called by Ganeti once the disks of a new or reinstalled machine are there.
set -e
dd if="$(dirname "$0")/boot.bin" of="$DISK_0_PATH" conv=notrunc,fsync status=none
"""
_NOTHING = "#!/bin/sh\nexit 0\n"
_REFUSE = '#!/bin/sh\necho "This OS can\'t do that." >&2\nexit 1\n'


def os_definition() -> dict[str, tuple[int, str]]:
    """The files of the Ganeti OS that installs the sector: path → mode and text (latin-1)."""
    folder = f"/srv/ganeti/os/{OS_NAME}"
    scripts = {"create": _CREATE, "rename": _NOTHING, "import": _REFUSE, "export": _REFUSE}
    return {
        f"{folder}/ganeti_api_version": (0o644, "10\n"),
        f"{folder}/boot.bin": (0o644, assemble().decode("latin-1")),
        **{f"{folder}/{name}": (0o755, text) for name, text in scripts.items()},
    }
