"""The machine's clock, for those who are allowed one."""

import time


def microseconds() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1_000
