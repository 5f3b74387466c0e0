"""What a client may say to a browser that it was lent: a table of messages, and what becomes of each."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cdp_filter import MAX_FILTERS, OWN_IDS, Place, judge, kinds_of
from api.cdp_rules import ordinary, refusal_of_url
from api.cdp_targets import Targets
from eventstore.session import MAX_FILES

PLACE = Place(downloads="/lent/1/downloads", uploaded={"cv.pdf": "/lent/1/uploads/cv.pdf"}.get)
WEB = "is none of the web's: only http, https, data, blob and about:blank addresses may be opened"


def said(method: str, session: str = "", **params: object) -> str:
    return json.dumps({"id": 7, "method": method, "params": params, **({"sessionId": session} if session else {})})


def passed(text: str) -> dict[str, Any]:
    """What goes on to the browser."""
    verdict = judge(text, PLACE)
    assert "" == verdict.reply
    return dict(json.loads(verdict.forward))


def refused(text: str) -> str:
    """The sentence that the client gets in its place."""
    verdict = judge(text, PLACE)
    assert ("", False) == (verdict.forward, verdict.ends)
    answer = json.loads(verdict.reply)
    assert (7, -32000) == (answer["id"], answer["error"]["code"])
    return str(answer["error"]["message"])


@pytest.mark.parametrize(
    "message",
    [
        {"id": 7, "method": "Page.enable"},
        {"id": 7, "method": "Page.navigate", "params": {"url": "https://example.com/#x"}, "sessionId": "S"},
        {"id": 7, "method": "Target.createTarget", "params": {"url": "about:blank", "width": 1}},
        {"id": 7, "method": "Runtime.evaluate", "params": {"expression": "location = 'file:///x'"}},
        {"id": 7, "method": "Network.setCookie", "params": {"name": "a", "value": "b", "url": "https://x.test"}},
        {"id": 7, "method": "Target.createBrowserContext", "params": {"disposeOnDetach": True}},
        {"id": 7, "method": "Target.createBrowserContext", "params": {"proxyServer": "", "proxyBypassList": ""}},
        {"id": 7, "method": "Tracing.start", "params": {"traceConfig": {"includedCategories": ["*"]}}},
        {"id": 7, "method": "Browser.setDownloadBehavior", "params": {"behavior": "deny"}},
        {"id": 7, "method": "Debugger.setBreakpointByUrl", "params": {"lineNumber": 1, "url": "file:///x"}},
        {"id": 7, "method": "Input.insertText", "params": {"text": "\U0001f600 \x00"}},
    ],
)
def test_what_is_harmless_passes_as_it_is(message: dict[str, Any]) -> None:
    assert message == passed(json.dumps(message))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        " \x00\t fi\nle\r:///etc/passwd",
        "view-source:file:///etc/passwd",
        "view-source:https://example.com",
        "chrome://version",
        "chrome-untrusted://terminal",
        "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai/index.html",
        "devtools://devtools/bundled/inspector.html",
        "about:version",
        "filesystem:https://example.com/x",
        "javascript:alert(1)",
        "ftp://example.com",
        "blob-x:1",
    ],
)
@pytest.mark.parametrize(
    "method",
    [
        "Page.navigate",
        "Target.createTarget",
        "Network.loadNetworkResource",
        "Fetch.continueRequest",
        "Page.somethingNew",
    ],
)
def test_no_command_sends_a_browser_to_what_is_none_of_the_web(method: str, url: str) -> None:
    assert refused(said(method, "S", url=url)).endswith(f"{WEB}.")


@pytest.mark.parametrize("url", ["/etc/passwd", "//example.com/x", "example.com", "../x"])
def test_a_navigation_names_its_scheme(url: str) -> None:
    assert f"Page.navigate is refused: {url} names no scheme." == refused(said("Page.navigate", url=url))
    assert {"url": url} == passed(said("Page.getResourceContent", url=url))["params"]


@pytest.mark.parametrize(
    "method",
    [
        "SystemInfo.getInfo",
        "Tethering.bind",
        "Extensions.loadUnpacked",
        "PWA.launchFilesInApp",
        "Cast.enable",
        "DeviceAccess.enable",
        "FileSystem.getDirectory",
        "Nothing.known",
        "",
        "page.navigate",
    ],
)
def test_a_domain_that_is_not_in_the_table_is_refused(method: str) -> None:
    assert f"{method} is refused: its domain is not open to clients." == refused(said(method))


@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("Target.exposeDevToolsProtocol", {"targetId": "T"}, "a page would have the browser's whole protocol"),
        ("Target.setRemoteLocations", {"locations": []}, "the browser would connect past its proxy"),
        (
            "Target.sendMessageToTarget",
            {"sessionId": "S", "message": said("Page.enable")},
            "what is answered could not be followed; attach with flatten, and use sessionId",
        ),
        ("Browser.getBrowserCommandLine", {}, "it would tell how the service runs the browser"),
        ("Tracing.start", {"tracingBackend": "system"}, "it would trace the machine"),
    ],
)
def test_commands_that_reach_past_the_pages_are_refused(method: str, params: dict[str, Any], why: str) -> None:
    assert f"{method} is refused: {why}." == refused(said(method, **params))


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [
        ("Target.createBrowserContext", "proxyServer", "http://evil.test:1"),
        ("Target.createBrowserContext", "proxyBypassList", "*"),
        ("Target.createBrowserContext", "originsWithUniversalNetworkAccess", ["https://x.test"]),
        ("Tracing.start", "perfettoConfig", "AAAA"),
    ],
)
def test_parameters_that_lead_past_the_proxy_or_to_files_are_refused(method: str, name: str, value: Any) -> None:
    assert refused(said(method, **{name: value})).startswith(f"{method} with {name} is refused: ")


@pytest.mark.parametrize(
    ("method", "asked", "behavior"),
    [
        ("Browser.setDownloadBehavior", "allow", "allowAndName"),
        ("Browser.setDownloadBehavior", "allowAndName", "allowAndName"),
        ("Browser.setDownloadBehavior", "default", "allowAndName"),
        ("Page.setDownloadBehavior", "default", "allow"),
    ],
)
def test_downloads_go_to_the_folder_of_the_session(method: str, asked: str, behavior: str) -> None:
    text = said(method, behavior=asked, downloadPath="/etc", browserContextId="C", eventsEnabled=True)

    assert {
        "behavior": behavior,
        "downloadPath": "/lent/1/downloads",
        "browserContextId": "C",
        "eventsEnabled": True,
    } == passed(text)["params"]


@pytest.mark.parametrize("named", ["cv.pdf", "/home/ann/cv.pdf", "C:\\Users\\ann\\cv.pdf", "/etc/../cv.pdf"])
def test_a_file_is_given_by_the_name_that_it_was_uploaded_under(named: str) -> None:
    files = passed(said("DOM.setFileInputFiles", files=[named], nodeId=1))["params"]["files"]
    drag = passed(said("Input.dispatchDragEvent", data={"items": [], "files": [named]}))["params"]["data"]["files"]

    assert ["/lent/1/uploads/cv.pdf"] == files == drag


@pytest.mark.parametrize("named", ["/etc/passwd", "", "..", "cv.pdf/..", "/lent/1/uploads/", 7, None])
def test_no_other_file_is_given(named: object) -> None:
    first = refused(said("DOM.setFileInputFiles", files=["cv.pdf", named], nodeId=1))
    second = refused(said("Input.dispatchDragEvent", data={"items": [], "files": [named]}))

    assert "was uploaded for this session." == first[-30:] == second[-30:]


def test_no_more_addresses_are_dropped_than_files_could_be() -> None:
    items = [{"mimeType": "text/uri-list", "data": "\n" * (MAX_FILES + 1)}]

    assert refused(said("Input.dispatchDragEvent", data={"items": items})).endswith("1000 addresses at most.")


@pytest.mark.parametrize("count", [MAX_FILES, MAX_FILES + 1])
def test_of_all_that_is_dropped_at_once_the_addresses_are_counted(count: int) -> None:
    one = [{"mimeType": "text/uri-list", "data": "https://x.test\n" * count}]
    many = [{"mimeType": "text/uri-list", "data": "https://x.test"}] * count
    messages = [said("Input.dispatchDragEvent", data={"items": items}) for items in (one, many)]

    if count > MAX_FILES:
        assert ["1000 addresses at most."] * 2 == [refused(message)[-23:] for message in messages]
    else:
        assert all(map(passed, messages))


def test_addresses_without_end_are_not_dropped() -> None:
    item = {"mimeType": "text/uri-list", "data": f"https://x.test/{'a' * 1_000_000}"}

    assert passed(said("Input.dispatchDragEvent", data={"items": [item]}))
    refusal = refused(said("Input.dispatchDragEvent", data={"items": [item, item]}))
    assert refusal.endswith("its addresses have more than 2000000 characters.")


def test_a_drop_of_no_list_of_things_drops_none() -> None:
    assert passed(said("Input.dispatchDragEvent", data={"items": 7}))


def test_no_more_files_are_named_than_a_session_has() -> None:
    assert passed(said("DOM.setFileInputFiles", files=["cv.pdf"] * MAX_FILES))
    assert refused(said("DOM.setFileInputFiles", files=["cv.pdf"] * (MAX_FILES + 1))).endswith("1000 files at most.")


@pytest.mark.parametrize("data", ["https://x.test\r\nfile:///etc/passwd", "fi\nle:///etc/passwd", "file\r\n:///x"])
def test_no_address_of_a_file_is_dropped_on_a_page(data: str) -> None:
    items = [{"mimeType": "text/uri-list", "data": data}]

    assert refused(said("Input.dispatchDragEvent", data={"items": items})).endswith(f"{WEB}.")


def test_of_two_things_in_one_message_the_browser_reads_what_was_judged() -> None:
    text = '{"id":7,"method":"Page.navigate","params":{"url":"file:///x","url":"https://x.test"},"more":1}'
    other = '{"id":7,"method":"Page.navigate","params":{"url":"https://x.test","url":"file:///x"}}'

    assert {"id": 7, "method": "Page.navigate", "params": {"url": "https://x.test"}} == passed(text)
    assert refused(other).endswith(f"{WEB}.")


def test_half_a_character_becomes_the_sign_for_none() -> None:
    text = '{"id":7,"method":"Input.insertText","params":{"text":"a\\ud83d\\ud83d\\ude00"}}'

    assert {"text": "a�\U0001f600"} == passed(text)["params"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[" * 100_000,
        '{"id":"7","method":"Page.enable"}',
        '{"id":7}',
        '{"id":7,"method":"Page.enable","params":[]}',
        '{"id":7,"method":"Page.enable","params":{"a":' + "[" * 100_000 + "]" * 100_000 + "}}",
        json.dumps({"id": OWN_IDS, "method": "Page.enable"}),
    ],
)
def test_what_is_no_command_is_not_passed_on(text: str) -> None:
    verdict = judge(text, PLACE)

    assert "" == verdict.forward
    assert -32700 == json.loads(verdict.reply)["error"]["code"]


def test_closing_the_browser_ends_the_session_and_reaches_no_browser() -> None:
    verdict = judge(said("Browser.close", "S"), PLACE)

    assert ("", True) == (verdict.forward, verdict.ends)
    assert {"id": 7, "result": {}, "sessionId": "S"} == json.loads(verdict.reply)


def test_a_new_page_without_an_address_is_an_empty_one() -> None:
    assert {"url": "about:blank"} == passed(said("Target.createTarget", url=" "))["params"]


PAGES = ["page", "iframe", "worker", "shared_worker", "service_worker"]
WORKLETS = ["worklet", "auction_worklet", "shared_storage_worklet"]


@pytest.mark.parametrize(
    ("wanted", "through"),
    [
        (None, [*PAGES, *WORKLETS]),
        ([{}], [*PAGES, "tab", *WORKLETS]),
        ([{"type": "page", "exclude": True}, {}], [*PAGES[1:], "tab", *WORKLETS]),
        ([{"type": "browser_ui"}, {"type": "page"}], ["page"]),
        ([{"type": "browser"}, {"type": "other"}], []),
        ([], []),
        (["page"], []),
        ([{"type": "other"}] * MAX_FILTERS + [{"type": "page"}], []),
    ],
)
def test_whatever_filter_is_wanted_only_pages_are_attached_to(wanted: object, through: list[str]) -> None:
    assert [*({"type": kind} for kind in through), {"exclude": True}] == kinds_of(wanted)


def attached(session: str, url: str, target: str = "T", kind: str = "page") -> bytes:
    info = {"targetId": target, "type": kind, "url": url}
    return json.dumps(
        {"method": "Target.attachedToTarget", "params": {"sessionId": session, "targetInfo": info}}
    ).encode()


def test_a_target_that_shows_a_page_of_the_browsers_own_is_looked_at_and_no_more() -> None:
    targets = Targets()
    targets.note(attached("S", "https://x.test"))
    targets.note(attached("V", "chrome-extension://viewer/", target="U", kind="iframe"))
    changed = {"targetInfo": {"targetId": "T", "type": "page", "url": "file:///x"}}
    before = targets.apart("S")
    targets.note(json.dumps({"method": "Target.targetInfoChanged", "params": changed}).encode())

    assert (False, True, True) == (before, targets.apart("S"), targets.apart("V"))
    assert judge(said("Page.enable", "V"), PLACE, apart=targets.apart).forward
    for session in ("S", "V"):
        verdict = judge(said("Runtime.evaluate", session, expression="1"), PLACE, apart=targets.apart)
        assert "the target shows a page of the browser's own." in verdict.reply


@given(st.text(alphabet="\t\n\r \x00fFiIlLeE:/."), st.sampled_from(["file", "chrome", "devtools", "view-source"]))
def test_no_spelling_of_a_scheme_gets_past(noise: str, scheme: str) -> None:
    spelt = "".join(character + ("\n" if index % 2 else "\t") for index, character in enumerate(scheme.upper()))

    assert refusal_of_url(f"\x00 \t{spelt}:{noise}")
    assert not ordinary(f"{scheme}://{noise}")
