"""A query means exactly one element, or fails with the candidates named."""

import pytest

from eventstore.events import Target
from runner.browser.browsers import Session
from runner.vocabulary import Click, Expect, Input, Query
from tests.playing import clicked, do, go, note, refused, seen

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(text="Save"), "save"),
        (Query(text="Save", kind="button"), "save"),
        (Query(text="Close panel"), "by aria-label"),
        (Query(text="Refresh list"), "by title"),
        (Query(text="Basket"), "by alt"),
        (Query(text="Basket", kind="icon"), "by alt"),
        (Query(text="A hint on a paragraph"), "by title of plain text"),
        (Query(text="Click this text"), "plain text"),
        (Query(text="draft"), "whole button"),
        (Query(text="SAVE"), "save"),
        (Query(text="Proceed"), "checkout"),
        (Query(text="to check"), "checkout"),
        (Query(text="Go now"), "by value"),
        (Query(text="Account", kind="link"), "link"),
        (Query(text="Account", kind="button"), "button"),
        (Query(text="Account", ordinal=2), "button"),
        (Query(text="Arrives late"), "arrived"),
        (Query(text="Far below"), "far"),
    ],
)
async def test_each_tier_finds_its_element(session: Session, site: str, query: Query, expected: str) -> None:
    await go(session, f"{site}/index.html")

    assert f"got: {expected}" == await clicked(session, query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(text="Delete", row="Beta"), "Beta"),
        (Query(text="Edit", row="Bruno"), "edit Bruno"),
        (Query(text="Edit", row="bruno"), "edit Bruno"),
        (Query(text="Buy", row="Chair"), "Chair"),
        (Query(text="Buy", row="20 EUR"), "Lamp"),
        (Query(kind="button", row="Anna"), "edit Anna"),
        (Query(text="Change", within="Billing"), "billing"),
        (Query(text="Change", within="Shipping"), "shipping"),
        (Query(text="Change", within="Contact"), "contact"),
        (Query(text="Delete", near="Gamma"), "Gamma"),
        (Query(text="Change", near="Contact"), "contact"),
        (Query(kind="button", near="Beta"), "Beta"),
        (Query(text="Delete", ordinal=1), "Alpha"),
        (Query(text="Delete", ordinal=-1), "Gamma"),
        (Query(kind="button", within="Shipping"), "shipping"),
    ],
)
async def test_a_query_is_narrowed_to_one(session: Session, site: str, query: Query, expected: str) -> None:
    await go(session, f"{site}/index.html")

    assert f"got: {expected}" == await clicked(session, query)


async def test_several_matches_are_refused_and_told_apart(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/index.html")

    expected = (
        "ambiguous_target",
        '3 elements match button "Delete": 1. button "Delete" in the row "Alpha Delete",'
        ' 2. button "Delete" in the row "Beta Delete", 3. button "Delete" in the row "Gamma Delete";'
        ' say which, for example: in the row of "Alpha", or the first.',
    )
    assert expected == await refused(hasty, Click(target=Query(text="Delete", kind="button")))
    assert "" == await note(hasty)


async def test_a_missing_target_names_what_is_there(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/index.html")

    expected = (
        "no_target",
        'No button "Delet all" is on the page. Closest: button "Delete", button "Enable", button "Save as",'
        ' button "Edit", button "Print draft".',
    )
    assert expected == await refused(hasty, Click(target=Query(text="Delet all", kind="button")))


@pytest.mark.parametrize(
    "query",
    [
        Query(text="Ghost"),
        Query(text="Delete", row="Empty"),
        Query(text="Delete", row="Nowhere"),
        Query(text="Buy", row="Sold out"),
        Query(text="Delete", within="Billing"),
        Query(text="Delete", ordinal=4),
        Query(text="Delete", near="Nowhere"),
        Query(text="Save", kind="checkbox"),
    ],
)
async def test_what_is_hidden_or_elsewhere_is_no_target(hasty: Session, site: str, query: Query) -> None:
    await go(hasty, f"{site}/index.html")

    code, _ = await refused(hasty, Click(target=query))

    assert "no_target" == code


async def test_a_disabled_target_is_waited_for(session: Session, hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/index.html")
    await go(session, f"{site}/index.html")

    code, sentence = await refused(hasty, Click(target=Query(text="Later")))
    await do(session, Click(target=Query(text="Enable")))

    assert ("timeout", 'button "Later" stayed disabled for 0.5 s.') == (code, sentence)
    assert "got: soon" == await clicked(session, Query(text="Soon"))


@pytest.mark.parametrize(
    ("query", "selector"),
    [
        (Query(text="Save"), 'internal:role=button[name="Save"s]'),
        (
            Query(text="Delete", row="Beta"),
            'internal:role=listitem >> internal:has-text="Beta"i >> internal:role=button[name="Delete"s]',
        ),
        (
            Query(text="Edit", ordinal=2),
            'internal:role=row >> internal:has-text="Bruno"i >> internal:role=button[name="Edit"s]',
        ),
        (
            Query(text="Buy", row="Chair"),
            'css=div.card >> internal:has-text="Chair"i >> internal:role=button[name="Buy"s]',
        ),
        (
            Query(text="Change", within="Shipping"),
            'css=section >> internal:has-text="Shipping"i >> internal:role=button[name="Change"s]',
        ),
    ],
)
async def test_the_selector_names_instead_of_counting(session: Session, site: str, query: Query, selector: str) -> None:
    await go(session, f"{site}/index.html")

    resolved = await seen(session, query)

    assert resolved.target is not None
    assert selector == resolved.target.selector


async def test_resolving_changes_nothing_and_tells_the_target(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    resolved = await seen(session, Query(text="Save"))

    target = resolved.target
    assert target is not None
    assert target.box is not None
    assert target == Target(selector='internal:role=button[name="Save"s]', role="button", name="Save", box=target.box)
    assert (resolved.params, resolved.url) == ('{"click":{"target":{"text":"Save"}}}', f"{site}/index.html")
    assert "" == await note(session)


@pytest.mark.parametrize(
    ("button", "expected"),
    [
        ("Inner button", "heard inside"),
        ("Foreign button", "heard across"),
        ("Shadow button", "heard in the shadow"),
    ],
)
async def test_frames_and_shadow_roots_are_searched(session: Session, site: str, button: str, expected: str) -> None:
    await go(session, f"{site}/frames.html")

    await do(session, Click(target=Query(text=button)))

    assert f'"{expected}" is visible' == await do(session, Expect(text=expected))


async def test_a_target_in_a_frame_has_a_selector_from_the_page(session: Session, site: str) -> None:
    await go(session, f"{site}/frames.html")

    resolved = await seen(session, Query(text="Inner button"))

    assert resolved.target is not None
    expected = 'iframe[name="inside"] >> internal:control=enter-frame >> internal:role=button[name="Inner button"i]'
    assert (expected, "inside") == (resolved.target.selector, resolved.target.frame)


async def test_a_field_in_a_foreign_frame_is_typed_into(session: Session, site: str) -> None:
    await go(session, f"{site}/frames.html")

    result = await do(session, Input(text="x", target=Query(text="Foreign field")))

    assert 'typed into field "Foreign field"' == result


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(text="trash"), "trash"),
        (Query(text="trash", kind="icon"), "trash"),
        (Query(text="star", kind="icon"), "star"),
        (Query(text="Pick me"), "tile"),
    ],
)
async def test_what_only_listens_is_found_by_its_words(
    session: Session, site: str, query: Query, expected: str
) -> None:
    await go(session, f"{site}/icons.html")

    assert f"got: {expected}" == await clicked(session, query)


async def test_what_does_not_listen_is_no_icon(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/icons.html")

    code, _ = await refused(hasty, Click(target=Query(text="decoration")))

    assert "no_target" == code
