"""Draws boxes with their references on a picture, beside the page: the page neither sees nor has them. Pure."""

from collections.abc import Mapping
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from runner.browser.outline import Box

COLOURS = ("#d7263d", "#1b6ca8", "#1f8a4c", "#8e3bb0", "#b85c00", "#0b7a75")
"""In turn, so that boxes next to each other differ."""

MOST_BOXES = 500
LETTERS = 12


def highlighted(picture: bytes, boxes: Mapping[int, Box]) -> bytes:
    """The PNG with a frame around each box, in pixels of the picture, and its number at its corner."""
    with Image.open(BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(LETTERS)
    seen = [(number, box) for number, box in boxes.items() if inside(box, image.size)][:MOST_BOXES]
    for number, box in seen:
        draw.rectangle(corners(box, image.size), outline=COLOURS[number % len(COLOURS)], width=2)
    for number, box in seen:
        label(draw, font, number, corners(box, image.size), image.size)
    out = BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def inside(box: Box, size: tuple[int, int]) -> bool:
    """Whether some of it is in the picture."""
    x, y, width, height = box
    return width > 0 and height > 0 and x < size[0] and y < size[1] and x + width > 0 and y + height > 0


def corners(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is in the picture."""
    x, y, width, height = box
    return max(x, 0), max(y, 0), min(x + width, size[0]) - 1, min(y + height, size[1]) - 1


def label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    number: int,
    at: tuple[int, int, int, int],
    size: tuple[int, int],
) -> None:
    """The number at the box's upper right corner; of a low box just above it, so that its words can be read."""
    text = str(number)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = int(right - left) + 4, int(bottom - top) + 4
    x = min(max(at[2] - width + 1, 0), size[0] - width)
    y = at[1] if at[3] - at[1] > height * 2 else max(at[1] - height, 0)
    draw.rectangle((x, y, x + width, y + height), fill=COLOURS[number % len(COLOURS)])
    draw.text((x + 2 - left, y + 2 - top), text, fill="white", font=font)
