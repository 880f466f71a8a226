"""The columns of an entry, as they are read whatever damage has made of them."""

from typing import Any

from gateway.store import Entry

# Damage may give a column any type and any bytes: they are for fsck to name, not to choke on.
COLUMNS = (
    " entries.idx, coalesce(CAST(kind AS BLOB), x''), coalesce(CAST(source AS BLOB), x''),"
    " coalesce(CAST(received_ms AS INTEGER), 0), coalesce(CAST(leaf AS BLOB), x''),"
    " coalesce(CAST(chain AS BLOB), x''), coalesce(CAST(salt AS BLOB), x''),"
    " iif(bodies.idx IS NULL, NULL, coalesce(CAST(body AS BLOB), x'')) "
)


def entry_of(index: int, kind: bytes, source: bytes, *rest: Any) -> Entry:
    return Entry(index, kind.decode(errors="replace"), source.decode(errors="replace"), *rest)
