"""Screen, sound, serial line, VNC and SPICE of KVM machines."""

from django.utils.translation import gettext_lazy as _

from clusters.catalogue.parameter import Group, Kind, Level, Parameter, by_name, choices

# fmt: off
# Each: name and label; help; type, and who may set it.

_WHEN = choices("auto", "always", "never")

SCREEN = by_name(
    Parameter("vga", _("Graphics card"),
        _("The card that the guest sees, such as std, qxl or virtio. Empty: QEMU's default."),
        Kind.TEXT, Group.DISPLAY, pattern=r"[A-Za-z0-9_-]+", is_optional=True),
    Parameter("soundhw", _("Sound card"),
        _("The sound card that the guest sees, such as hda. Empty: none."),
        Kind.TEXT, Group.DISPLAY, Level.ADMIN, is_optional=True),
    Parameter("keymap", _("Keyboard layout"),
        _("The layout of the keyboard at the console, such as de or en-us. Empty: as the viewer says."),
        Kind.TEXT, Group.DISPLAY, pattern=r"[A-Za-z]{2,3}(?:-[A-Za-z]{2})?", is_optional=True),
    Parameter("usb_mouse", _("Mouse"),
        _("A tablet keeps the pointer where it is on the viewer's screen, a mouse does not. Empty: no USB pointer."),
        Kind.CHOICE, Group.DISPLAY, choices=choices("tablet", "mouse"), is_optional=True),
    Parameter("serial_console", _("Serial console"),
        _("A serial line to the guest, which gnt-instance console shows; its kernel, if the node gives it one, is"
          " told to write there."),
        Kind.SWITCH, Group.DISPLAY),
    Parameter("serial_speed", _("Speed of the serial line"),
        _("Often 9600, 19200, 38400, 57600 or 115200. The guest must use the same."),
        Kind.INTEGER, Group.DISPLAY, unit="bit/s", least=1),
)

VNC = by_name(
    Parameter("vnc_bind_address", _("VNC listens at"),
        _("The address of the node where the screen can be reached; 0.0.0.0 for each of its addresses. Empty: no VNC."),
        Kind.ADDRESS, Group.DISPLAY, Level.HOST, is_optional=True),
    Parameter("vnc_password_file", _("VNC password file"),
        _("The file of the node that holds the password of the screen. Empty: none is asked for."),
        Kind.PATH, Group.DISPLAY, Level.HOST, is_optional=True),
    Parameter("vnc_tls", _("VNC with TLS"),
        _("The screen is sent encrypted. Most viewers can't do it."),
        Kind.SWITCH, Group.DISPLAY, Level.HOST),
    Parameter("vnc_x509_path", _("VNC certificates"),
        _("The directory of the node that holds key and certificates for the screen. Used with TLS only."),
        Kind.PATH, Group.DISPLAY, Level.HOST, is_optional=True),
    Parameter("vnc_x509_verify", _("VNC asks for certificates"),
        _("Viewers must show a certificate as well. Used with TLS only."),
        Kind.SWITCH, Group.DISPLAY, Level.HOST),
)

SPICE = by_name(
    Parameter("spice_bind", _("SPICE listens at"),
        _("The address or network interface of the node where SPICE viewers connect. Empty: no SPICE. VNC must listen"
          " nowhere then."),
        Kind.ADDRESS, Group.DISPLAY, Level.HOST, is_optional=True, since=(2, 6)),
    Parameter("spice_ip_version", _("SPICE over IPv4 or IPv6"),
        _("Which of an interface's addresses to use: 4, 6, or 0 as the cluster does."),
        Kind.INTEGER, Group.DISPLAY, Level.HOST, least=4, most=6, is_optional=True, since=(2, 6)),
    Parameter("spice_password_file", _("SPICE password file"),
        _("The file of the node that holds the password for SPICE. Empty: none is asked for."),
        Kind.PATH, Group.DISPLAY, Level.HOST, is_optional=True, since=(2, 6)),
    Parameter("spice_use_tls", _("SPICE with TLS"),
        _("Everything between viewer and node is sent encrypted."),
        Kind.SWITCH, Group.DISPLAY, Level.HOST, since=(2, 6)),
    Parameter("spice_tls_ciphers", _("SPICE ciphers"),
        _("Which ciphers TLS may use, as OpenSSL writes them."),
        Kind.TEXT, Group.DISPLAY, Level.HOST, is_optional=True, since=(2, 6)),
    Parameter("spice_image_compression", _("SPICE image compression"),
        _("How pictures are made smaller without loss. Empty: SPICE's default."),
        Kind.CHOICE, Group.DISPLAY, choices=choices("auto_glz", "auto_lz", "quic", "glz", "lz", "off"),
        is_optional=True, since=(2, 6)),
    Parameter("spice_jpeg_wan_compression", _("SPICE JPEG on slow lines"),
        _("Whether pictures are sent as JPEG, with loss. Empty: SPICE's default."),
        Kind.CHOICE, Group.DISPLAY, choices=_WHEN, is_optional=True, since=(2, 6)),
    Parameter("spice_zlib_glz_wan_compression", _("SPICE zlib on slow lines"),
        _("Whether pictures are compressed once more with zlib. Empty: SPICE's default."),
        Kind.CHOICE, Group.DISPLAY, choices=_WHEN, is_optional=True, since=(2, 6)),
    Parameter("spice_streaming_video", _("SPICE video"),
        _("What is taken for a video, and sent as one: all that moves, only what is likely to be one, or nothing."),
        Kind.CHOICE, Group.DISPLAY, choices=choices("off", "all", "filter"), is_optional=True, since=(2, 6)),
    Parameter("spice_playback_compression", _("SPICE sound compression"),
        _("Sound is compressed on its way to the viewer."),
        Kind.SWITCH, Group.DISPLAY, since=(2, 6)),
    Parameter("spice_use_vdagent", _("SPICE agent"),
        _("Mouse and clipboard go through the SPICE agent of the guest, if it runs one."),
        Kind.SWITCH, Group.DISPLAY, since=(2, 6)),
)
