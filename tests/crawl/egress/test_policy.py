"""Only public addresses, however spelled, and addresses that the user allows are reached."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodswarm.crawl.egress import EgressPolicy, EgressRefused
from moodswarm.crawl.egress.addresses import CLOSED_PORTS, address_class, parse_address
from moodswarm.crawl.egress.lookup import CachedLookup
from moodswarm.crawl.spec import Egress

PUBLIC = "93.184.216.34"
NOT_PUBLIC = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "this-network",
    "10.255.0.1": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "100.100.100.200": "cloud metadata",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud metadata",
    "169.254.0.1": "link-local",
    "169.254.169.254": "cloud metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "protocol assignment",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4 relay",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.51.100.7": "documentation",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "IPv4-compatible",
    "::8.8.8.8": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "cloud metadata",
    "::ffff:0:127.0.0.1": "reserved",
    "64:ff9b::127.0.0.1": "loopback (by NAT64)",
    "64:ff9b::169.254.169.254": "cloud metadata (by NAT64)",
    "64:ff9b:1::8.8.8.8": "local NAT64",
    "100::1": "discard",
    "2001::1": "Teredo",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:2::1": "protocol assignment",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:808:808::1": "6to4",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "5f00::1": "reserved",
    "fc00::1": "private",
    "fd00:ec2::254": "cloud metadata",
    "fd12:3456::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}
ALSO_PUBLIC = (
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "126.255.255.255", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "192.167.0.1", "198.17.255.255", "198.20.0.1", "223.255.255.255",
    "2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
)  # fmt: skip
LOOPBACK_SPELLINGS = (
    "127.0.0.1", "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "0177.1", "127.1", "127.0.1",
    "127.0.0.1.", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "１２７.０.０.１",  # full-width digits
    "127。0。0。1",  # ideographic full stops
    "①②⑦.0.0.1",
)  # fmt: skip


def answering(*addresses: str) -> Callable[[str], list[str]]:
    return lambda host: list(addresses)


def policy(
    *addresses: str, allow: tuple[str, ...] = (), hosts: dict[str, str] | None = None
) -> EgressPolicy:
    return EgressPolicy.from_spec(Egress(allow=allow, hosts=hosts or {}), answering(*addresses))


@pytest.mark.parametrize(("address", "kind"), NOT_PUBLIC.items())
def test_an_address_that_is_not_public_is_refused(address: str, kind: str) -> None:
    assert address_class(parse_address(address)) == kind
    with pytest.raises(EgressRefused, match="is not public") as refused:
        policy(address).resolve("example.org", 443)
    assert kind in refused.value.detail


@pytest.mark.parametrize("address", ALSO_PUBLIC)
def test_a_public_address_is_reached(address: str) -> None:
    (judged,) = policy(address).resolve("example.org", 443)
    assert judged == str(parse_address(address))


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_the_one_it_holds(address: IPv4Address) -> None:
    mapped = IPv6Address(f"::ffff:{address}")
    assert address_class(mapped) == address_class(address)
    assert parse_address(str(mapped)) == address


@given(st.ip_addresses(v=4))
def test_nat64_is_public_exactly_if_what_it_holds_is(address: IPv4Address) -> None:
    held = address_class(address)
    through = address_class(IPv6Address(f"64:ff9b::{address}"))
    assert (through is None) == (held is None)


@given(st.ip_addresses(v=4))
def test_a_number_is_the_address_it_spells(address: IPv4Address) -> None:
    first, *rest = address.packed
    value = int.from_bytes(bytes(rest), "big")
    spellings = (f"{int(address)}", f"{int(address):#x}", f"0{int(address):o}", f"{first}.{value}")
    for spelling in spellings:
        allowed = policy(allow=(f"{address}:443",))
        assert allowed.resolve(spelling, 443) == [str(address)]


@given(st.ip_addresses(v=6))
def test_no_address_outside_global_unicast_is_public(address: IPv6Address) -> None:
    inside = int(address) >> 125 == 1 or address.ipv4_mapped or int(address) >> 32 == 0x64FF9B << 64
    assert inside or address_class(address) is not None


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS)
def test_every_spelling_of_loopback_is_refused_without_a_lookup(spelling: str) -> None:
    with pytest.raises(EgressRefused, match="is not public") as refused:
        policy("8.8.8.8").check_url(f"http://{spelling}:8080/")
    assert refused.value.reason == "address"


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "localhost.", "ＬＯＣＡＬＨＯＳＴ"])
def test_localhost_is_refused_by_the_system_s_own_answer(name: str) -> None:
    with pytest.raises(EgressRefused, match=r"localhost is not public \(loopback address\)"):
        EgressPolicy().resolve(name, 80)


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "data:text/html,x", "ftp://example.org/", "gopher://example.org/",
    "javascript:alert(1)", "blob:https://example.org/1", "ws://example.org/", "//example.org/",
    "example.org", "",
])  # fmt: skip
def test_only_http_and_https_are_asked(url: str) -> None:
    with pytest.raises(EgressRefused, match="only http and https") as refused:
        policy(PUBLIC).check_url(url)
    assert refused.value.reason == "scheme"


@pytest.mark.parametrize("url", [
    "https://me:secret@example.org/", "https://me@example.org/", "https://@example.org/",
    r"https://example.org\@127.0.0.1/", "https://a:secret@b@example.org/",
])  # fmt: skip
def test_a_password_in_an_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(EgressRefused, match="user name or a password") as refused:
        policy(PUBLIC).check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", [
    "", ".", "..", "a..b", "-a.org", "a b", "a%20b", "256.1.1.1", "1.2.3.4.5", "0xg.1",
    "1.2.3.08", "09.1.1.1", "[fe80::1%25eth0]", "[::1", "a" * 64 + ".org", "a." * 150 + "org",
    "٣.1.1.1", "exa\tmple.org", "4294967296", "127.0.0.٣",
])  # fmt: skip
def test_an_invalid_host_is_refused(host: str) -> None:
    with pytest.raises(EgressRefused):
        policy(PUBLIC).check_url(f"https://{host}/")


@pytest.mark.parametrize("url", [
    "https://example.org", "http://EXAMPLE.org:8080/a?b#c", "https://bücher.example/ü",
    "https://xn--bcher-kva.example/", "https://a_b.example.org/", "https://example.org./",
    "https://1.1.1.1/", "https://[2606:4700::1111]/", "https://3com.com/", "https://1e100.net/",
])  # fmt: skip
def test_an_ordinary_address_passes(url: str) -> None:
    target = policy(PUBLIC).target(url)
    assert policy(PUBLIC).resolve(target.host, target.port)


@pytest.mark.parametrize("port", sorted({22, 25, 6379, 27017, 6000, *CLOSED_PORTS}))
def test_a_port_of_another_service_is_refused(port: int) -> None:
    with pytest.raises(EgressRefused, match=f"port {port} ") as refused:
        policy(PUBLIC).check_url(f"http://example.org:{port}/")
    assert refused.value.reason == "port"


def test_a_closed_port_opens_for_the_named_server_only() -> None:
    rules = policy(PUBLIC, allow=("cache.example.org:6379",))
    assert rules.resolve("cache.example.org", 6379) == [PUBLIC]
    with pytest.raises(EgressRefused, match="port 6379"):
        rules.resolve("example.org", 6379)


@pytest.mark.parametrize("port", [65536, "port", -1])
def test_an_invalid_port_is_refused(port: object) -> None:
    with pytest.raises(EgressRefused, match="cannot be read"):
        policy(PUBLIC).check_url(f"http://example.org:{port}/")


def test_one_private_address_among_public_ones_refuses_all() -> None:
    with pytest.raises(EgressRefused, match="private"):
        policy(PUBLIC, "10.0.0.1", "2606:4700::1111").resolve("example.org", 443)


def test_a_host_without_an_address_is_not_refused() -> None:
    with pytest.raises(socket.gaierror, match="no address"):
        policy().resolve("example.org", 443)


@pytest.mark.parametrize("entry", ["localhost:8080", "127.0.0.1:8080", "LOCALHOST.:8080"])
def test_an_entry_allows_one_server_by_name_or_address(entry: str) -> None:
    rules = policy("127.0.0.1", allow=(entry,))
    assert rules.resolve("localhost", 8080) == ["127.0.0.1"]
    with pytest.raises(EgressRefused, match="loopback"):
        rules.resolve("localhost", 8081)


def test_a_name_that_is_allowed_does_not_allow_its_address() -> None:
    rules = policy("127.0.0.1", allow=("demo.test:8080",))
    with pytest.raises(EgressRefused, match="loopback"):
        rules.check_url("http://127.0.0.1:8080/")


def test_every_spelling_of_an_allowed_address_is_allowed() -> None:
    rules = policy(allow=("127.0.0.1:8080", "[::1]:8080"))
    for spelling in ("2130706433", "[::ffff:127.0.0.1]", "0x7f.1", "[0::1]"):
        rules.check_url(f"http://{spelling}:8080/")


def test_the_refusal_names_the_entry_that_would_allow_it() -> None:
    for url in ("http://[fd00::1]:8080/", "http://10.0.0.1/"):
        with pytest.raises(EgressRefused, match="to allow it, add") as refused:
            policy().check_url(url)
        entry = refused.value.detail.split("'")[1]
        policy(allow=(entry,)).check_url(url)


def test_a_mapped_name_is_not_asked_of_dns() -> None:
    def nobody(host: str) -> list[str]:
        raise AssertionError(host)

    rules = EgressPolicy.from_spec(Egress(hosts={"Demo.test": "1.1.1.1"}), nobody)
    assert rules.resolve("demo.test.", 443) == ["1.1.1.1"]


def test_a_mapped_name_is_judged_like_any_other() -> None:
    with pytest.raises(EgressRefused, match="loopback"):
        policy(PUBLIC, hosts={"demo.test": "127.0.0.1"}).resolve("demo.test", 8080)


@pytest.mark.parametrize("entry", ["localhost", "localhost:", ":80", "a:b", "::1:80", "a:70000"])
def test_a_malformed_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r"egress.allow: .* is not a host:port"):
        policy(allow=(entry,))


def test_a_host_mapped_to_a_name_is_named() -> None:
    with pytest.raises(ValueError, match="egress.hosts: 'demo.test' has 'localhost'"):
        policy(hosts={"demo.test": "localhost"})


def test_a_changed_answer_is_judged_again_when_it_is_asked() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    rules = EgressPolicy(lookup=CachedLookup(lambda host: next(answers), seconds=0))
    assert rules.resolve("example.org", 443) == [PUBLIC]
    with pytest.raises(EgressRefused, match="loopback"):
        rules.resolve("example.org", 443)


def test_answers_are_remembered_for_a_while_and_not_without_bound() -> None:
    asked: list[str] = []
    now = 0.0
    lookup = CachedLookup(
        lambda host: asked.append(host) or [PUBLIC], seconds=10, entries=2, clock=lambda: now
    )
    for host in ("a", "a", "b", "c", "a"):  # a third name displaces the first one
        lookup(host)
    now = 11.0
    lookup("c")
    assert asked == ["a", "b", "c", "a", "c"]
