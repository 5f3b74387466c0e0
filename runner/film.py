"""A video out of pictures, made in this process: WebM with VP8, so that no program of the system is needed.

Not for the event loop's thread. `av` is an extra; without it there are no films.
"""

import threading
from fractions import Fraction
from pathlib import Path

try:
    import av
except ImportError:  # pragma: no cover - the extra is installed where tests run
    PRESENT = False
else:
    PRESENT = True

CONTENT_TYPE = "video/webm"
SUFFIX = ".webm"
MILLISECOND = Fraction(1, 1000)
BITS_A_SECOND = 1_000_000
PNG = b"\x89PNG"
OPTIONS = {"deadline": "realtime", "cpu-used": "8", "crf": "30", "lag-in-frames": "0", "error-resilient": "0"}


class Film:
    """Pictures in the order of their times. The first one says how large all are. Any thread may use it."""

    def __init__(self, path: Path) -> None:
        self.frames = self.size = self.milliseconds = 0
        self._out = av.open(str(path), "w", format="webm")
        self._stream: av.VideoStream | None = None
        self._lock = threading.Lock()
        self._closed = False

    def add(self, picture: bytes, milliseconds: int) -> None:
        """A JPEG or PNG as it was seen so many milliseconds after the beginning. Raises ValueError for what is none."""
        with self._lock:
            if self._closed or (self.frames and milliseconds <= self.milliseconds):
                return
            frame = _decoded(picture)
            stream = self._stream or self._begin(frame)
            even = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
            even.pts, even.time_base = milliseconds, MILLISECOND
            self._write(stream, even)
            self.frames += 1
            self.milliseconds = milliseconds

    def close(self) -> None:
        """It is whole then. Of no picture there is no film. Twice is once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._stream is not None:
                self._write(self._stream, None)
            self._out.close()

    def _begin(self, frame: "av.VideoFrame") -> "av.VideoStream":
        stream = self._out.add_stream("libvpx", rate=Fraction(1000), options=OPTIONS)
        # The format has no odd sizes.
        stream.width, stream.height, stream.pix_fmt = frame.width & ~1, frame.height & ~1, "yuv420p"
        stream.bit_rate = BITS_A_SECOND
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.thread_count = 1
        self._stream = stream
        return stream

    def _write(self, stream: "av.VideoStream", frame: "av.VideoFrame | None") -> None:
        for packet in stream.encode(frame):
            self.size += packet.size
            self._out.mux(packet)


def _decoded(picture: bytes) -> "av.VideoFrame":
    decoder = av.CodecContext.create("png" if picture.startswith(PNG) else "mjpeg", "r")
    try:
        frames = [*decoder.decode(av.Packet(picture)), *decoder.decode(None)]
    except av.error.FFmpegError as error:
        raise ValueError("This is not a picture.") from error
    if not frames or not isinstance(frames[0], av.VideoFrame):
        raise ValueError("This is not a picture.")
    return frames[0]
