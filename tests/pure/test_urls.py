"""Where a browser may be sent."""

import pytest

from runner.browser.urls import absolute, refusal
from runner.egress.addresses import LOOPBACK
from runner.egress.rules import Rules


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://0xA9FEA9FE/",
        "http://2852039166/",
        "http://[::ffff:169.254.1.1]/",
        "http://[fe80::1]/",
        "http://metadata.google.internal./",
        "http://100.100.100.200/",
        "http://\uff11\uff16\uff19.254.169.254/",
        "file:///etc/passwd",
        "chrome://crash",
        "http:///x",
        "http://[/",
    ],
)
def test_what_is_never_allowed_is_refused_without_any_domains(url: str) -> None:
    assert refusal(url, Rules(private=LOOPBACK))


@pytest.mark.parametrize(
    ("url", "domains"),
    [
        ("http://127.0.0.1:8000/", ()),
        ("https://example.com/", ("example.com",)),
        ("https://EXAMPLE.com./", ("example.com",)),
        ("https://a.b.example.com/", ("*.example.com",)),
        ("https://example.com/", ("*.example.com",)),
        ("http://localhost:80/", ("localhost:80",)),
        ("wss://example.com/", ("https://example.com",)),
        ("data:text/plain,x", ("example.com",)),
        ("about:blank", ("example.com",)),
    ],
)
def test_what_is_among_the_domains_is_allowed(url: str, domains: tuple[str, ...]) -> None:
    assert "" == refusal(url, Rules(allowed_domains=domains, private=LOOPBACK))


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.example.com/", "example.com"),
        ("https://notexample.com/", "*.example.com"),
        ("https://example.com.evil.test/", "example.com"),
        ("http://localhost:81/", "localhost:80"),
        ("https://evil.test/?example.com", "example.com"),
        ("https://example.com@evil.test/", "example.com"),
    ],
)
def test_what_is_not_among_the_domains_is_refused(url: str, domain: str) -> None:
    assert "is not among the allowed domains" in refusal(url, Rules(allowed_domains=(domain,), private=LOOPBACK))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("example.com", "https://example.com"),
        ("example.com/a?b", "https://example.com/a?b"),
        ("localhost:8000/x", "http://localhost:8000/x"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:80", "http://[::1]:80"),
        ("http://a.test", "http://a.test"),
        ("about:blank", "about:blank"),
    ],
)
def test_a_bare_host_gets_a_scheme(given: str, expected: str) -> None:
    assert expected == absolute(given)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ftp://a/", "http://", ""]
)
def test_other_schemes_are_not_opened(url: str) -> None:
    with pytest.raises(ValueError, match="only http and https"):
        absolute(url)
