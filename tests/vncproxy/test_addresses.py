"""No console leads to this host, or to where no machine can be, however the address is written."""

import socket
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import succeed

from tests.vncproxy.rig import Rig
from vncproxy.addresses import ForbiddenAddress, is_of_this_host, judge, resolve
from vncproxy.settings import networks, parse_address
from vncproxy.troubles import Trouble

BAD_IPV4 = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]
BAD_IPV6 = ["::", "::1", "fe80::1", "febf::1", "fe80::1%lo", "ff02::1", "ff05::2"]
GOOD = [
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.9",
    "192.0.2.1",
    "8.8.8.8",
    "126.255.255.255",
    "128.0.0.1",
    "fd00::7",
    "2001:db8::1",
]


def spellings(text):
    """Other ways to write an IPv4 address, which the system's resolver or a translator on the way understands."""
    number = int(IPv4Address(text))
    a, b, c, d = number.to_bytes(4, "big")
    yield from (str(number), hex(number), f"{a:#o}.{b}.{c}.{d}".replace("0o", "0"), f"{a}.{b}.{c * 256 + d}")
    yield f"{a:#x}.{number & 0xFFFFFF}"
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    for prefix in ("::ffff:", "::ffff:0:", "64:ff9b::", "64:ff9b:1::", "fd00::5efe:", "fd00::200:5efe:"):
        yield f"{prefix}{high}:{low}"
    yield f"2002:{high}:{low}::1"
    yield str(IPv6Address((0x20010000 << 96) | (number << 64) | (0xFFFFFFFF ^ int(IPv4Address("192.0.2.1")))))
    yield str(IPv6Address((0x20010000C0000201 << 64) | (0xFFFFFFFF ^ number)))
    if number > 1:  # else it is :: or ::1
        yield f"::{high}:{low}"


TABLE = [*BAD_IPV4, *BAD_IPV6, *(form for text in BAD_IPV4 for form in spellings(text))]


class ResolvingRig(Rig):
    """Asks the system what a host means, as the broker does."""

    def _resolve(self, host):
        return succeed(resolve(host))


def test_refused_before_anything_is_dialled():
    for host in TABLE:
        rig = ResolvingRig(connect_timeout_s=5)
        browser = rig.browser(host=host)
        browser.log_in()
        rig.clock.advance(5)
        assert rig.endpoints == [], host
        assert browser.close_code() == Trouble.UNREACHABLE.code, host


@pytest.mark.parametrize("host", [*GOOD, *(form for text in GOOD[:5] for form in spellings(text))])
def test_others_are_dialled_in_their_resolved_form(host):
    rig = ResolvingRig()
    rig.browser(host=host).log_in()
    (endpoint,) = rig.endpoints
    assert endpoint.host == str(parse_address(endpoint.host)), "mapped addresses as IPv4"
    assert endpoint.host == str(resolve(host)[0])


@pytest.mark.parametrize("host", [*BAD_IPV4, *BAD_IPV6, *GOOD])
def test_the_demo_is_on_the_loopback_and_nowhere_else(host):
    rig = ResolvingRig()
    rig.browser(host=host, is_demo=True).log_in()
    assert bool(rig.endpoints) is parse_address(host).is_loopback


@pytest.mark.parametrize(
    ("listed", "host", "admitted"),
    [
        ("192.0.2.0/24", "192.0.2.200", True),
        ("192.0.2.0/24", "198.51.100.1", False),
        ("192.0.2.0/24", "::ffff:192.0.2.9", True),
        ("192.0.2.0/24", "::ffff:198.51.100.1", False),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "64:ff9b::7f00:1", False),
        ("0.0.0.0/0", "127.0.0.1", False),
        ("0.0.0.0/0,::/0", "::1", False),
        ("::1", "::1", True),
        ("0.0.0.0/0", "10.1.2.3", True),
        ("0.0.0.0/0", "169.254.169.254", False),
        ("169.254.0.0/16", "169.254.0.9", True),
        ("0.0.0.0", "0.0.0.0", False),
        ("224.0.0.0/4", "224.0.0.1", False),
        ("10.0.0.0/8", "2002:0a00:0001::1", False),
    ],
)
def test_networks_are_asked_before_dialling(listed, host, admitted):
    rig = ResolvingRig(node_networks=networks("x", listed))
    rig.browser(host=host).log_in()
    assert bool(rig.endpoints) is admitted


def test_a_name_that_leads_elsewhere_the_second_time():
    rig = Rig(names={"node1.example.org": [["192.0.2.9"], ["127.0.0.1"]]})
    browser = rig.browser(host="node1.example.org")
    browser.log_in()
    (endpoint,) = rig.endpoints
    assert endpoint.host == "192.0.2.9"
    assert rig.names == {"node1.example.org": [["127.0.0.1"]]}, "asked once for one connection"


@pytest.mark.parametrize("addresses", [["192.0.2.9", "127.0.0.1"], ["::1", "192.0.2.9"], ["192.0.2.9", "fe80::1"]])
def test_a_name_that_also_leads_to_this_host_leads_nowhere(addresses):
    rig = Rig(names={"node1.example.org": [addresses]})
    rig.browser(host="node1.example.org").log_in()
    assert rig.endpoints == []


def own_address():
    """An address of this host that is not of the loopback; None on a host without network."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return ip_address(probe.getsockname()[0])


def test_this_host_knows_its_own_addresses():
    assert is_of_this_host(ip_address("127.0.0.1"))
    assert not is_of_this_host(ip_address("192.0.2.1"))
    assert not is_of_this_host(ip_address("2001:db8::1"))
    mine = own_address()
    assert mine is None or is_of_this_host(mine)


def test_this_hosts_own_addresses_are_not_dialled():
    rig = Rig()
    rig.browser(host=str(own_address() or "127.0.0.1")).log_in()
    assert rig.endpoints == []


@pytest.mark.parametrize(
    ("listed", "admitted"), [("", False), ("10.0.0.0/8", False), ("10.0.0.5", True), ("10.0.0.5,10.0.0.0/8", True)]
)
def test_this_hosts_own_addresses_must_be_named_by_themselves(listed, admitted):
    mine = ip_address("10.0.0.5")
    for address in (mine, ip_address("64:ff9b::a00:5")):
        try:
            judge(address, networks("x", listed), is_own=lambda asked: asked == mine)
            assert admitted
            assert address == mine
        except ForbiddenAddress:
            assert not admitted or address != mine


@given(st.ip_addresses())
def test_what_is_admitted_can_be_a_node(address):
    """Judged once more by Python's own tables."""
    plain = parse_address(str(address))
    try:
        judge(plain, ())
    except ForbiddenAddress:
        return
    for each in (plain, getattr(plain, "sixtofour", None)):
        assert each is None or not (each.is_loopback or each.is_unspecified or each.is_link_local or each.is_multicast)
