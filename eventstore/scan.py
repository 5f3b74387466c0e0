"""Reading a whole tape in its file, row by row, as it lies there."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from eventstore.audit import Audit, Stored
from eventstore.rows import PAGE_AFTER, Database, Row
from eventstore.store import Verdict

PAGE = 250
BEFORE_ALL = -(2**63)


async def scan(db: Database, audit: Audit, head: int, *, share: float = 1.0) -> Verdict:
    """Row by row up to the head at least; then what rows do not show, such as a damaged index.

    Others run between the pages; `share` is how much of the time it may work. Raises sqlite3.DatabaseError and
    msgspec.ValidationError for what cannot be read.
    """
    after, full = BEFORE_ALL, True
    while full and (audit.head.position < head or audit.uncovered):
        begun = time.perf_counter()
        rows: Sequence[Row] = list(await db.execute_fetchall(PAGE_AFTER, (after, PAGE)))
        for row in rows:
            stored = msgspec.convert(tuple(row), Stored)
            if problem := audit.take(stored):
                return audit.failed(problem, first_bad=audit.head.position + 1)
            after = stored.position
        full = len(rows) == PAGE
        await asyncio.sleep((time.perf_counter() - begun) * (1 / share - 1))
    if audit.head.position < head:
        missing = audit.head.position + 1
        return audit.failed(f"position {missing} is missing", first_bad=missing)
    ((report,),) = await db.execute_fetchall("PRAGMA integrity_check(1)")
    if report != "ok":
        return audit.failed(f"the file is damaged: {report}", first_bad=None)
    return audit.passed()
