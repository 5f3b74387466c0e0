"""Boxes on a picture: around what can be acted on, within the picture, and nothing else is touched."""

from io import BytesIO

from PIL import Image

from runner.browser.highlight import highlighted

RED, WHITE = (215, 38, 61), (255, 255, 255)


def png(size: tuple[int, int]) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "white").save(out, "PNG")
    return out.getvalue()


def test_a_box_is_drawn_around_what_can_be_acted_on_and_its_inside_stays_as_it_was() -> None:
    drawn = Image.open(BytesIO(highlighted(png((100, 80)), {6: (10, 10, 60, 50)})))

    assert (100, 80) == drawn.size
    assert [RED, RED, WHITE, WHITE] == [drawn.getpixel(at) for at in ((10, 30), (40, 59), (30, 40), (5, 5))]


def test_boxes_that_leave_the_picture_are_cut_and_those_outside_are_left_out() -> None:
    inside = highlighted(png((100, 80)), {6: (-20, -20, 1_000, 1_000)})
    outside = highlighted(png((100, 80)), {6: (0, 81, 10, 10), 12: (-30, 0, 30, 10), 18: (5, 5, 0, 10)})

    assert RED == Image.open(BytesIO(inside)).getpixel((0, 40))
    assert Image.new("RGB", (100, 80), "white").tobytes() == Image.open(BytesIO(outside)).tobytes()


def test_a_number_is_drawn_even_at_the_edge_of_a_picture_that_is_very_small() -> None:
    drawn = Image.open(BytesIO(highlighted(png((4, 4)), {123_456: (0, 0, 4, 4)})))

    assert (4, 4) == drawn.size
