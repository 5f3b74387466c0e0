"""Where a browser that is lent to a client lies in the data directory: the runner writes it, the relay reads it."""

from pathlib import Path

FOLDER = "lent"
DOWNLOADS, UPLOADS = "downloads", "uploads"


def place(data_dir: Path, own: str) -> Path:
    """The directory of the browser of that name; it goes with the browser."""
    return data_dir / FOLDER / own


def endpoint(place: Path) -> str:
    """The web socket that it speaks DevTools on; empty when it is gone. Whoever knows it has the browser."""
    try:
        return (place / "endpoint").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def uploaded(place: Path, name: str) -> str | None:
    """The path of the uploaded file of that name, None when there is none."""
    if not name or name in {".", ".."} or "/" in name or "\0" in name:
        return None
    path = place / UPLOADS / name
    return str(path) if path.is_file() and not path.is_symlink() else None
