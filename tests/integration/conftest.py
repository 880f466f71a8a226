"""Every integration test gets a site of its own, and ends with fsck of every ledger in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.harness import Site


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Mark a test `damages_ledgers` where the ledgers are meant to be wrong afterwards."""
    site = Site(tmp_path)
    try:
        yield site
    finally:
        site.stop()
    if "damages_ledgers" in request.keywords:
        return
    wrong = [verdict for verdict in site.verdicts() if not verdict.valid]
    assert wrong == [], site.logs()
