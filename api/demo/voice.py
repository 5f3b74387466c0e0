"""How the demonstration speaks: headings, indented lines, and a countdown that shows that it is alive."""

import asyncio

from rich.console import Console

from api.text import safe

TICK = 0.5


def heading(text: str) -> None:
    """What comes next."""
    _console().print(f"\n{safe(text)}", style="bold")


def tell(text: str, *, style: str = "") -> None:
    """One thing that is so."""
    _console().print(f"  {safe(text)}", style=style)


async def hold(text: str, seconds: float) -> None:
    """Wait, and show it: a dot each half second."""
    console = _console()
    console.print(f"  {safe(text)} ", end="")
    try:
        for _ in range(round(seconds / TICK)):
            await asyncio.sleep(TICK)
            console.print(".", end="")
    finally:
        console.print()


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)
