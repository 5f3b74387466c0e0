"""What a model sees: references that act, marks for what is new, no secrets."""

import pytest

from runner.browser.browsers import Session
from runner.model import Observation
from runner.vocabulary import Click, Input, Query
from tests.playing import do, go, note, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_place_alone_costs_no_tree(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    expected = Observation(url=f"{site}/index.html", title="Shop", tabs=(f"1. {site}/index.html (current)",))
    assert expected == await session.look(tree=False)


async def test_references_stand_for_what_can_be_acted_on(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")

    tree = (await session.look(tree=True)).tree

    assert "hunter2" not in tree
    assert "4711" not in tree
    assert '[4] button "Add one"' in tree
    assert "icon-trash" in tree
    assert "fa-star" in tree


async def test_a_reference_is_clicked(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")
    tree = (await session.look(tree=True)).tree
    index = next(int(line.split("[")[1].split("]")[0]) for line in tree.splitlines() if "icon-trash" in line)

    await do(session, Click(target=Query(index=index)))

    assert "got: trash" == await note(session)


async def test_a_reference_to_a_password_is_masked_when_typed(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")
    tree = (await session.look(tree=True)).tree
    index = next(int(line.split("[")[1].split("]")[0]) for line in tree.splitlines() if '"Password"' in line)

    resolved = await session.resolve(Input(text="hunter2", target=Query(index=index)))

    assert f'{{"input":{{"text":"********","target":{{"index":{index}}}}}}}' == resolved.params


async def test_what_is_new_is_marked(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")
    first = (await session.look(tree=True)).tree
    await do(session, Click(target=Query(text="Add one")))

    second = (await session.look(tree=True)).tree

    assert "*" not in first.replace("********", "")
    assert ["Fresh"] == [line.split('"')[1] for line in second.splitlines() if "- *[" in line]


async def test_an_unknown_reference_is_refused(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/icons.html")
    await hasty.look(tree=True)

    expected = ("no_target", "There is no [99] in the last look at this page.")
    assert expected == await refused(hasty, Click(target=Query(index=99)))


async def test_a_picture_is_a_png_of_the_viewport(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    picture = await session.screenshot()

    size = (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big"))
    assert (b"\x89PNG", (1280, 800)) == (picture[:4], size)
