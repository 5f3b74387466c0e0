"""Where a secret may be typed, and what would have it written down elsewhere."""

import msgspec
import pytest

from eventstore import events as e
from eventstore.errors import CannotOpen
from eventstore.secrets import Secret
from runner.opening import refuse_chatter
from runner.vocabulary import ActFailed
from runner.wallet import Wallet, wallet_of


def task(instruction: str, *, start_url: str = "", allowed: tuple[str, ...] = ()) -> Wallet:
    """The wallet of such a task."""
    created = e.TaskCreated(
        instruction=instruction, llm="instructions", session="s", project="p", family="v1", request_digest="",
        start_url=start_url, allowed_domains=allowed, secrets=("password",),
    )  # fmt: skip
    return wallet_of(created, {"password": Secret("correct horse")})


def refusal(wallet: Wallet, url: str) -> str:
    with pytest.raises(ActFailed) as caught:
        wallet.host("password", url)
    assert "secret_refused" == caught.value.code
    return str(caught.value)


@pytest.mark.parametrize(
    ("allowed", "url", "host"),
    [
        (("shop.test",), "https://shop.test/login", "shop.test"),
        (("*.shop.test",), "https://a.shop.test/", "a.shop.test"),
        (("*.shop.test",), "https://shop.test/", "shop.test"),
        (("shop.test:8443",), "https://shop.test:8443/", "shop.test"),
        (("shop.test",), "http://shop.test/", "shop.test"),
        (("*.localhost",), "http://shop.localhost:8000/", "shop.localhost"),
        (("127.0.0.1",), "http://127.1:8000/", "127.0.0.1"),
    ],
)
def test_a_page_of_an_allowed_domain_gets_it(allowed: tuple[str, ...], url: str, host: str) -> None:
    assert host == task("Go to https://elsewhere.test.", allowed=allowed).host("password", url)


@pytest.mark.parametrize(
    ("allowed", "url", "why"),
    [
        (("shop.test",), "https://shop.test.evil.test/", "its field is on shop.test.evil.test"),
        (("shop.test",), "https://evilshop.test/", "its field is on evilshop.test"),
        (("shop.test",), "https://a.shop.test/", "may be typed only on shop.test"),
        (("*.shop.test",), "http://a.shop.test/", "a.shop.test would get it unencrypted"),
        (("shop.test:8443",), "https://shop.test/", "may be typed only on shop.test:8443"),
        (("shop.test",), "about:blank", "in a frame without an address of its own"),
        (("shop.test",), "about:srcdoc", "in a frame without an address of its own"),
        (("shop.test",), "data:text/html,<input>", "in a frame without an address of its own"),
        (("shop.test",), "blob:https://shop.test/1", "in a frame without an address of its own"),
        (("shop.test",), "chrome-error://chromewebdata/", "in a frame without an address of its own"),
        (("shop.test",), "https://shop.test@evil.test/", "its field is on evil.test"),
    ],
)
def test_another_page_does_not(allowed: tuple[str, ...], url: str, why: str) -> None:
    assert why in refusal(task("Go to https://elsewhere.test.", allowed=allowed), url)


def test_without_allowed_domains_only_the_hosts_that_the_task_opens_get_it() -> None:
    wallet = task('Go to shop.test/login. Type "https://evil.test" into "Home page".', start_url="https://start.test/")

    assert ["shop.test", "start.test"] == [
        wallet.host("password", url) for url in ("https://shop.test/", "https://start.test/x")
    ]
    assert "may be typed only on start.test, shop.test; name others in the task" in refusal(
        wallet, "https://evil.test/"
    )
    assert "would get it unencrypted" in refusal(wallet, "http://shop.test/")


def test_of_an_instruction_in_free_words_the_addresses_count() -> None:
    wallet = task("Please log in at https://shop.test/login, and tell me how much is in the basket")

    assert "shop.test" == wallet.host("password", "https://shop.test/")


def test_a_task_that_names_no_page_gives_it_to_none() -> None:
    assert "nowhere: the task names no page" in refusal(task('Type "a" into "b".'), "https://shop.test/")


@pytest.mark.parametrize("environ", [{"DEBUG": "pw:api"}, {"DEBUG": "x, *"}, {"DEBUGP": ""}])
def test_no_service_starts_whose_browser_driver_would_log_what_is_typed(environ: dict[str, str]) -> None:
    with pytest.raises(CannotOpen, match="would have Playwright log all that is typed"):
        refuse_chatter(environ)


def test_what_other_programs_mean_by_debugging_is_no_matter() -> None:
    refuse_chatter({"DEBUG": "true"})


def test_a_secret_that_is_called_as_an_answer_is_hidden_as_well_as_the_answer() -> None:
    wallet = Wallet({"answer": Secret("correct horse")})

    wallet.learn("answer", Secret("739155"))

    assert "<secret>answer (before)</secret> <secret>answer</secret>" == wallet.mask.text("correct horse 739155")


def test_what_a_task_does_again_may_be_typed_where_it_was_named_then_and_where_another_address_is_given() -> None:
    first = e.TaskCreated(
        instruction="Go to https://shop.test/login.", llm="instructions", session="s", project="p", family="v1",
        request_digest="",
    )  # fmt: skip
    inputs = {"https://shop.test/login": "https://staging.test/login", "Ada": "https://evil.test/"}
    fork = msgspec.structs.replace(first, instruction="Buy it.", replay=e.Replay(task="first", inputs=inputs))

    wallet = wallet_of(fork, {"password": Secret("correct horse")}, played=[first])

    assert "shop.test" == wallet.host("password", "https://shop.test/login")
    assert "staging.test" == wallet.host("password", "https://staging.test/login")
    assert "only on staging.test, shop.test" in refusal(wallet, "https://evil.test/")
    assert "only on evil.test" in refusal(
        wallet_of(msgspec.structs.replace(fork, allowed_domains=("evil.test",)), {}, played=[first]),
        "https://shop.test/login",
    )
