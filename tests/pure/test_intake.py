"""What a task may be asked: every check accepts what it must and names what it refuses."""

from pathlib import Path

import pytest

from api import hosts, intake
from api.models import Models, aliases
from api.settings import Settings
from eventstore.errors import Invalid
from eventstore.events import Limits
from tests.configured import model


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com", "example.com"),
        (" Example.COM. ", "example.com"),
        ("*.example.com", "*.example.com"),
        ("localhost", "localhost"),
        ("localhost:8000", "localhost:8000"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8000", "[::1]:8000"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("https://example.com/path?query#part", "example.com"),
        ("http://example.com:8080/", "example.com:8080"),
        ("http*://*.example.com", "*.example.com"),
        ("https://[::1]/", "[::1]"),
    ],
)
def test_a_domain_is_a_host_or_a_wildcard_or_the_host_of_a_url(text: str, expected: str) -> None:
    assert expected == hosts.pattern(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "*",
        "*.",
        "*.127.0.0.1",
        "exam*.com",
        "a..b",
        "a b",
        "-a.example",
        "example.com/path",
        "example.com?query",
        "example.com#part",
        "user@example.com",
        "https://user:password@example.com/",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "http://example.com:99999/",
        "\x00",
        "\u202eexample.com",
        "[::1",
        "a" * 64 + ".com",
        ".".join(["label"] * 50),
    ],
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        intake.domains(["example.com", text], "domains")

    assert ("body", "domains", 1) == refused.value.field


def test_a_domain_counts_once() -> None:
    assert ("a.example", "b.example") == intake.domains(["a.example", "b.example", "https://A.example"], "domains")


def test_a_list_of_domains_has_an_end() -> None:
    with pytest.raises(Invalid, match="At most 500 domains are allowed"):
        intake.domains(["example.com"] * 501, "domains")


@pytest.mark.parametrize("domains", [None, []])
def test_no_domains_allow_every_domain(domains: list[str] | None) -> None:
    assert () == intake.domains(domains, "domains")


@pytest.mark.parametrize(
    "url", ["https://example.com/a?b#c", "http://127.0.0.1:8000", "example.com", "localhost:8000/shop", "http://[::1]/"]
)
def test_a_start_url_stays_as_it_was_sent(url: str) -> None:
    assert url == intake.start_url(url, "startUrl")


@pytest.mark.parametrize("url", [None, "", "  "])
def test_a_task_needs_no_start_url(url: str | None) -> None:
    assert "" == intake.start_url(url, "startUrl")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,hello",
        "about:blank",
        "chrome://settings",
        "https://user:password@example.com/",
        "user@example.com",
        "https://",
        "http://a b/",
        "http://example.com:99999",
        "https://example.com/" + "a" * 8_192,
    ],
)
def test_a_start_url_is_of_http_or_https_and_holds_no_password(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        intake.start_url(url, "startUrl")

    assert ("body", "startUrl") == refused.value.field


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, ""),
        ("", ""),
        ("  ", ""),
        ('{"type": "object"}', '{"type": "object"}'),
        ({"type": "object"}, '{"type":"object"}'),
        ({"const": 10**40}, '{"const":' + str(10**40) + "}"),
        ({"title": "Bücher"}, '{"title":"Bücher"}'),
    ],
)
def test_a_schema_is_text_or_an_object(given: str | dict[str, object] | None, expected: str) -> None:
    assert expected == intake.output_schema(given, "schema")


def nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('"\\ud800"', "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("true", "must be a JSON object"),
        ("5", "must be a JSON object"),
        ({"type": "objekt"}, "not valid under any"),
        ({"required": "name"}, "is not of type"),
        ({"pattern": "("}, "is not a"),
        ({"$ref": "#/definitions/nothing"}, "does not exist"),
        ({"$schema": "http://127.0.0.1:1/schema"}, "Unknown meta-schema"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "Retrieval is disabled"),
        ({"$ref": "file:///etc/hostname"}, "Retrieval is disabled"),
        (nested(500), "Recursion limit"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_and_nothing_is_fetched(
    given: str | dict[str, object], words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        intake.output_schema(given, "schema")

    assert ("body", "schema") == refused.value.field


def test_metadata_within_its_limits_stays_as_it_was_sent() -> None:
    pairs = {f"{place}".ljust(100, "x"): "v" * 1_000 for place in range(10)}

    assert pairs == intake.metadata(pairs, "metadata")


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ({str(place): "" for place in range(11)}, ("body", "metadata")),
        ({"": "value"}, ("body", "metadata")),
        ({"k" * 101: "value"}, ("body", "metadata")),
        ({"key": "v" * 1_001}, ("body", "metadata", "key")),
    ],
)
def test_metadata_beyond_its_limits_is_refused(pairs: dict[str, str], field: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        intake.metadata(pairs, "metadata")

    assert field == refused.value.field


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0"])
def test_a_task_of_white_space_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="must not be empty"):
        intake.instruction(text, "task")


def test_the_order_of_keys_and_the_spaces_do_not_make_another_request() -> None:
    assert intake.digest("v1", b'{"a": 1, "b": [2]}') == intake.digest("v1", b'{"b":[2],"a":1}')


def test_another_value_or_another_family_makes_another_request() -> None:
    assert 3 == len({intake.digest("v1", b'{"a":1}'), intake.digest("v1", b'{"a":2}'), intake.digest("v2", b'{"a":1}')})


@pytest.mark.parametrize(("dollars", "expected"), [(0.0, ""), (0.25, "0.25"), (0.00001, "0.00001"), (1e6, "1000000.0")])
def test_limits_are_those_that_are_set_and_cost_is_a_decimal_without_an_exponent(dollars: float, expected: str) -> None:
    settings = Settings(
        data_dir=Path("/t"), task_seconds=60.0, step_seconds=6.0, max_tokens=9, max_cost_usd=dollars, on_limit="pause"
    )

    limits = Limits(
        max_steps=7,
        task_seconds=60.0,
        step_seconds=6.0,
        action_seconds=10.0,
        max_tokens=9,
        max_cost_usd=expected,
        breach="pause",
    )
    assert limits == intake.limits(settings, 7)


@pytest.mark.parametrize("name", [None, "", "instructions"])
def test_without_a_model_the_instructions_are_followed(name: str | None) -> None:
    assert "instructions" == Models().resolve(name)


def test_without_a_name_it_is_the_default_model_and_the_instructions_can_always_be_named() -> None:
    chosen = Models(table=(model("big"), model("gpt-4.1")), default="gpt-4.1").resolve

    assert ("gpt-4.1", "big", "instructions") == (chosen(None), chosen("big"), chosen("instructions"))


def test_a_name_with_a_star_is_any_such_name_and_one_in_full_comes_first() -> None:
    models = Models(table=(model("gpt-*"), model("gpt-4.1", model="ours")))

    found = [models.find(name) for name in ("gpt-4.1", "gpt-5-mini", "gpt-*", "claude-1", "")]
    assert ["ours", "gpt-5-mini", "", "", ""] == [each.model if each else "" for each in found]
    assert "gpt-5-mini" == models.resolve("gpt-5-mini")


def test_a_message_names_the_default_first_and_no_more_than_it_has_room_for() -> None:
    models = Models(table=tuple(model(f"m{number}") for number in range(30)), default="m7")

    told = models.told().split(", ")
    assert (["m7", "m0", "m1"], "and 11 more", 21) == (told[:3], told[-1], len(told))


def test_a_model_that_is_not_configured_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        Models().resolve("gpt-4.1", field=("body", "llm_model"))

    assert ("body", "llm_model") == refused.value.field
    assert str(refused.value).startswith('No model "gpt-4.1" is configured; configured: instructions. Leave it out, ')


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gpt-4.1", "instructions"), ("any-other", "big"), ("big", "big"), (None, "instructions")],
)
def test_a_model_may_stand_for_others(name: str | None, expected: str) -> None:
    models = Models(table=(model("big"),), stand_ins=aliases("gpt-4.1=instructions, *=big"))

    assert expected == models.resolve(name)


def test_a_name_that_stands_for_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(Invalid):
        Models(stand_ins=aliases("gpt-4.1=big")).resolve("gpt-4.1")
