"""Videos out of pictures, and of which tasks there are any."""

from io import BytesIO
from pathlib import Path

import av
import pytest

from eventstore.events import Options
from runner.film import Film
from runner.recording import records
from runner.reel import Put, Reel


def picture(width: int, height: int, kind: str = "mjpeg") -> bytes:
    """A grey picture."""
    out = BytesIO()
    with av.open(out, "w", format="image2pipe") as container:
        stream = container.add_stream(kind, rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p" if kind == "mjpeg" else "rgb24"
        frame = av.VideoFrame(width, height, stream.pix_fmt)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return out.getvalue()


def test_pictures_become_a_video_with_their_times_whatever_their_format(tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    film = Film(path)

    film.add(picture(321, 241), 0)
    film.add(picture(321, 241, "png"), 500)
    film.add(picture(640, 480), 500)  # the same moment: left out
    film.add(picture(640, 480), 2_000)
    film.close()
    film.close()
    film.add(picture(640, 480), 3_000)  # too late

    with av.open(str(path)) as made:
        stream = made.streams.video[0]
        times = [round(frame.time * 1000) for frame in made.decode(video=0)]
        assert ("vp8", 320, 240) == (stream.codec.name, stream.width, stream.height)
    assert [0, 500, 2_000] == times


def test_what_is_no_picture_is_refused_and_leaves_no_film(tmp_path: Path) -> None:
    film = Film(tmp_path / "film.webm")

    with pytest.raises(ValueError, match="not a picture"):
        film.add(b"\x89PNG nothing", 0)
    film.close()

    assert 0 == film.frames


def test_of_which_tasks_there_is_a_video() -> None:
    asked, silent = Options(record=True), Options()

    found = {word: [records(word)(options) for options in (asked, silent)] for word in ("asked", "all", "off")}

    assert {"asked": [True, False], "all": [True, True], "off": [False, False]} == found


async def test_a_reel_that_ends_lets_its_watchers_go_and_shows_nothing_old_to_the_next() -> None:
    async def show(put: Put) -> None:
        put(b"one", 2, 1)

    reel = Reel(show)

    async with reel.watch():
        first = await reel.newest(0)
    await reel.close()
    async with reel.watch():
        second = await reel.newest(0)

    assert first is not None
    assert (b"one", None) == (first.data, second)
