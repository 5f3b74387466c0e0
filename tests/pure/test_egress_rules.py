"""No spelling of a forbidden address passes, and no spelling of a foreign one gets among the allowed domains."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.egress.addresses import EVERYTHING, LOOPBACK, PRIVATE, Address, address_of, canonical
from runner.egress.rules import Rules, private_networks, refusal_of_url

OPEN = Rules(private=EVERYTHING)
STRICT = Rules()
METADATA = "a link-local or cloud-metadata address"
FORBIDDEN = (
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.255",
    "0.0.0.0",  # noqa: S104 - nothing is bound here
    "0.1.2.3",
    "255.255.255.255",
)
INNER = (
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
)
FULL_WIDTH = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789."}


def spellings_4(address: str) -> list[str]:
    """How else a browser would read an IPv4 address."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    return [
        address,
        f"{address}.",
        str(number),
        hex(number),
        hex(number).upper(),
        oct(number).replace("0o", "0"),
        ".".join(hex(int(part)) for part in (a, b, c, d)),
        ".".join(f"0{int(part):03o}" for part in (a, b, c, d)),
        f"{a}.{int(b) << 16 | int(c) << 8 | int(d)}",
        f"{a}.{b}.{int(c) << 8 | int(d)}",
        address.translate(FULL_WIDTH),
        "".join(f"%{ord(sign):02x}" for sign in address),
        address.replace(".", "。"),
        f"{address[0]}\u200b{address[1:]}",
    ]


def spellings_6(address: str) -> list[str]:
    """IPv6 addresses that lead, or through some gateway would lead, to an IPv4 one."""
    number = int(ipaddress.IPv4Address(address))
    high, low = number >> 16, number & 0xFFFF
    turned = number ^ 0xFFFFFFFF
    return [
        f"::ffff:{address}",
        f"::ffff:{high:x}:{low:x}",
        f"0:0:0:0:0:FFFF:{high:X}:{low:X}",
        *([f"::{address}"] if number > 1 else []),
        f"::ffff:0:{high:x}:{low:x}",
        f"64:ff9b::{address}",
        f"64:ff9b:1::{high:x}:{low:x}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:{high:x}:{low:x}::1",
        f"2001:0:808:808:0:0:{turned >> 16:x}:{turned & 0xFFFF:x}",
        f"2606:4700::5efe:{high:x}:{low:x}",
    ]


addresses = st.one_of(
    st.ip_addresses(v=4, network="169.254.0.0/16"),
    st.ip_addresses(v=4, network="224.0.0.0/4"),
    st.ip_addresses(v=4, network="0.0.0.0/8"),
)
inner = st.one_of(*(st.ip_addresses(network=str(network)) for network in (*LOOPBACK, *PRIVATE)))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_spelling_of_a_forbidden_address_passes_whatever_is_set(address: str) -> None:
    hosts = spellings_4(address) + spellings_6(address)

    assert [] == [host for host in hosts if not OPEN.refusal("http", host, None)]


@pytest.mark.parametrize("address", INNER)
def test_no_spelling_of_a_private_address_passes_unless_the_setting_says_so(address: str) -> None:
    hosts = spellings_4(address) + spellings_6(address)

    assert [] == [host for host in hosts if not STRICT.refusal("http", host, None)]
    assert [] == [host for host in hosts if OPEN.refusal("http", host, None)]


@given(addresses)
@example(ipaddress.IPv4Address("169.254.169.254"))
def test_a_forbidden_address_is_refused_in_every_form(address: Address) -> None:
    for host in spellings_4(str(address)) + spellings_6(str(address)):
        assert OPEN.refusal("https", host, 443), host
        found = address_of(canonical(host))
        assert found is not None
        assert OPEN.refusal_of("rebound.test", [found]), host


@given(inner)
def test_a_name_that_leads_inside_is_refused_and_says_where_it_leads(address: Address) -> None:
    reason = STRICT.refusal_of("inside.test", [ipaddress.IPv4Address("8.8.8.8"), address])

    kind = "loopback" if address.is_loopback else "private"
    leads = f"inside.test leads to {address}, which is a {kind} address"
    assert f"{leads}; TAPEWRIGHT_ALLOW_PRIVATE={kind} would allow it" == reason


@pytest.mark.parametrize(
    ("setting", "host", "passes"),
    [
        ("", "127.0.0.1", False),
        ("", "localhost", False),
        ("", "8.8.8.8", True),
        ("", "2606:4700::1111", True),
        ("", "64:ff9b::808:808", True),
        ("loopback", "127.0.0.1", True),
        ("loopback", "::1", True),
        ("loopback", "app.localhost", True),
        ("loopback", "10.0.0.1", False),
        ("private", "10.0.0.1", True),
        ("private", "fd00::1", True),
        ("private", "127.0.0.1", False),
        ("private", "100.64.0.1", False),
        ("private", "fd00::5efe:7f00:1", False),
        ("10.1.0.0/16", "10.1.2.3", True),
        ("10.1.0.0/16", "10.2.0.0", False),
        ("loopback, 10.9.9.9", "10.9.9.9", True),
        ("all", "100.64.0.1", True),
        ("all", "fec0::1", True),
        ("all", "fe80::1", False),
        ("all", "fe80::1%25eth0", False),
        ("all", "::", False),
        ("all", "ff02::1", False),
        ("all", "fd00:ec2::254", False),
        ("all", "metadata.google.internal.", False),
        ("all", "METADATA", False),
    ],
)
def test_the_setting_opens_what_it_names(setting: str, host: str, passes: bool) -> None:
    rules = Rules(private=private_networks(setting))

    assert passes == (rules.refusal("http", host, None) == "")


@pytest.mark.parametrize("setting", ["local", "10.0.0.1/8", "loopback;private", "1.2.3", "loopback,*"])
def test_a_wrong_setting_is_refused_in_a_sentence(setting: str) -> None:
    with pytest.raises(ValueError, match=r"^TAPEWRIGHT_ALLOW_PRIVATE is .*, which is not right: "):
        private_networks(setting)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.test/", "only http and https addresses may be opened"),
        ("view-source:http://a.test/", "only http and https addresses may be opened"),
        ("http://a%20b/", "'a b' is no host name"),
        ("http://a%0ab/", "'a\\nb' is no host name"),
        ("http://a%00.test/", "'a\\x00.test' is no host name"),
        ("http://169.254.1.1/", f"169.254.1.1 is {METADATA}"),
        ("http://instance-data/", f"instance-data is {METADATA}"),
    ],
)
def test_what_is_no_address_to_go_to_says_why(url: str, reason: str) -> None:
    assert reason == refusal_of_url(OPEN, url)


labels = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)


def dressed(host: str) -> list[str]:
    """The same host, written otherwise."""
    return [host, host.upper(), f"{host}.", f"%{ord(host[0]):02x}{host[1:]}", host.translate(FULL_WIDTH)]


def is_among(host: str, domain: str) -> bool:
    """What the rule is, said once more and more plainly."""
    return host == domain.removeprefix("*.") or (domain.startswith("*.") and host.endswith(domain[1:]))


@given(hosts, st.one_of(hosts, hosts.map("*.{}".format)), hosts)
@example("evil-example.com", "*.example.com", "a")
@example("example.com.evil", "example.com", "a")
def test_a_decision_on_domains_does_not_depend_on_how_the_host_is_written(host: str, domain: str, user: str) -> None:
    rules = Rules(allowed_domains=(domain,), private=EVERYTHING)
    among = is_among(host, domain)

    for form in dressed(host):
        for url in (f"http://{form}/", f"https://{form}:443/{domain}", f"http://{domain[-3:]}{user}@{form}/?{domain}"):
            assert among == (refusal_of_url(rules, url) == ""), url


@pytest.mark.parametrize("domain", ["bücher.test", "xn--bcher-kva.test", "*.BÜCHER.test"])
@pytest.mark.parametrize("host", ["bücher.test", "xn--bcher-kva.test", "BÜCHER。test"])
def test_an_international_name_is_the_same_in_both_spellings(domain: str, host: str) -> None:
    assert "" == Rules(allowed_domains=(domain,)).refusal("https", host, None)


@given(hosts, st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["http", "https", "ws", "wss"]))
@example("a1", 80, 443, "https")
def test_a_domain_with_a_port_allows_that_port_only(host: str, allowed: int, asked: int, scheme: str) -> None:
    rules = Rules(allowed_domains=(f"{host}:{allowed}",), private=EVERYTHING)

    assert (allowed == asked) == (rules.refusal(scheme, host, asked) == "")
    assert (allowed == {"http": 80, "ws": 80}.get(scheme, 443)) == (rules.refusal(scheme, host, None) == "")


@given(st.text(max_size=40), st.integers(0, 70000) | st.none())
def test_the_rules_are_total(host: str, port: int | None) -> None:
    assert isinstance(STRICT.refusal("http", host, port), str)
    assert isinstance(refusal_of_url(STRICT, f"http://{host}"), str)
