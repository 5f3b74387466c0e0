"""Videos out of pictures, and of which tasks there are any."""

import asyncio
from io import BytesIO
from pathlib import Path

import av
import pytest

from eventstore.events import Options
from runner.film import Film
from runner.recording import Recorder, records
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


class Strip(Film):
    """Pictures one after the other, in no format."""

    def __init__(self) -> None:
        self.size = 0
        self.added: list[bytes] = []

    def add(self, picture: bytes, milliseconds: int) -> None:
        self.added.append(picture)


async def seen(recorder: Recorder, data: bytes) -> None:
    async with asyncio.timeout(60.0):
        while recorder._picture is None or recorder._picture.data != data:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)


@pytest.mark.parametrize(("resumed", "film"), [(False, [b"one", b"one"]), (True, [b"one", b"three", b"three"])])
async def test_what_is_seen_while_the_task_may_not_act_is_in_no_video(resumed: bool, film: list[bytes]) -> None:
    strip, put, acting, acted = Strip(), asyncio.Queue[bytes](), [True], asyncio.Event()

    async def show(show_one: Put) -> None:
        while True:
            show_one(await put.get(), 2, 1)

    def may_act() -> bool:
        acted.set()
        return acting[0]

    recorder = Recorder(strip, Reel(show), may_act)
    running = asyncio.create_task(recorder.run())
    for data, acts in ((b"one", True), (b"two", False), (b"three", False)):
        acting[0] = acts
        put.put_nowait(data)
        await seen(recorder, data)
    acting[0] = resumed
    for _ in range(2):  # the first one may have been asked already
        acted.clear()
        await acted.wait()
    running.cancel()
    await asyncio.wait({running})
    await recorder.last()

    assert film == strip.added
