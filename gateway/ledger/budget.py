"""Budget: how `retention.max_bytes` is divided, so that the ledger's files never take more.

A file and the log beside it share it. The log is emptied into the file at half its limit as a
rule, and begins no transaction past it; one transaction more is the most it can grow by.
"""

from typing import NamedTuple

from gateway.errors import ConfigError
from gateway.ledger.changes import MAX_DROPPED_PARTS
from gateway.store import PAGE_BYTES
from protocol.limits import MAX_CONTENT_BYTES

_LOG_PAGES = 1000  # where SQLite empties its log by default
_FRAME_BYTES = PAGE_BYTES + 24  # sqlite.org/fileformat2.html §4.1
# What one transaction may write. A submission: a page of the number index, one of the bodies,
# and a share of others. A step of a prune, whose bytes and entries are bounded: up to three for
# each body, where each lay in another page.
_PAGES_PER_SUBMISSION, _PAGES_BESIDE = 3, 64
_PRUNE_PAGES = 1000
# The contents of resources that may wait for the writer, and what is dropped of their parts.
_CHANGE_PAGES = 2 * MAX_CONTENT_BYTES // PAGE_BYTES + MAX_DROPPED_PARTS * 64 // PAGE_BYTES
_SOFT, _TARGET = 0.90, 0.85  # of what is left for the file


class Budget(NamedTuple):
    """`file_pages` is where writing ends; pruning begins past `soft_bytes` in use, and ends at
    `target_bytes`. No transaction begins with a log of `log_bytes` or more.
    """

    file_pages: int
    log_bytes: int
    soft_bytes: int
    target_bytes: int


def transaction_pages(max_batch: int) -> int:
    """The most that one transaction writes."""
    batch = _PAGES_PER_SUBMISSION * max_batch + _PAGES_BESIDE + _CHANGE_PAGES
    return max(batch, _PRUNE_PAGES)


def divided(max_bytes: int, max_batch: int) -> Budget:
    """For transactions of at most `max_batch` submissions. ConfigError where it is too little."""
    transaction = transaction_pages(max_batch)
    log_bytes = 2 * min(transaction, _LOG_PAGES) * _FRAME_BYTES
    beside = log_bytes + (transaction + 1) * _FRAME_BYTES
    if max_bytes < 4 * beside:
        raise ConfigError(
            f"retention.max_bytes is {max_bytes}",
            f"use {4 * beside} or more with ledger.max_batch = {max_batch},"
            " of which the write-ahead log may need a quarter",
        )
    file_pages = (max_bytes - beside) // PAGE_BYTES
    file_bytes = file_pages * PAGE_BYTES
    return Budget(file_pages, log_bytes, int(file_bytes * _SOFT), int(file_bytes * _TARGET))
