"""What the resource tree says of itself, and the quotas it gets from a configuration."""

import asyncio

import pytest

from gateway.config import GatewayConfig, ResourcesConfig, RetentionConfig
from gateway.errors import BadQueryError, NotFoundError, QuotaError
from gateway.ledger.changes import Limits
from gateway.resources.planting import durable_limits, planted
from tests.gateway.desk import LIMIT_S
from tests.gateway.resourceful import Grove


@pytest.fixture
async def grove():
    grove = Grove()
    async with asyncio.timeout(LIMIT_S):
        for path in ("home/b", "tmp/c", "home/a", "etc/d"):
            await grove.put(path, b"123", 0 if path == "home/a" else None)
        yield grove
    await grove.stop()


async def text(grove, path, *queries):
    found = await grove.tree.get(path, queries)
    assert found.content_format == 0
    return found.content.decode()


async def test_all_resources_are_listed_in_order(grove):
    assert await text(grove, "proc/resources") == (
        "etc/d\t3\t-\nhome/a\t3\t0\nhome/b\t3\t-\ntmp/c\t3\t-\n"
    )


async def test_a_listing_goes_on_behind_its_last_path_until_it_is_empty(grove):
    found, after = [], ""
    while page := await text(grove, "proc/resources", f"after={after}", "limit=3"):
        found += [line.split("\t")[0] for line in page.splitlines()]
        after = found[-1]

    assert found == ["etc/d", "home/a", "home/b", "tmp/c"]


async def test_a_listing_has_a_prefix(grove):
    assert await text(grove, "proc/resources", "prefix=home/b") == "home/b\t3\t-\n"
    assert await text(grove, "proc/resources", "prefix=tmp") == "tmp/c\t3\t-\n"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "limit=²", "page=1"]
)
async def test_a_query_that_there_is_not_is_named(grove, query):
    with pytest.raises(BadQueryError, match=query.split("=")[0]):
        await grove.tree.get("proc/resources", [query])


async def test_what_is_used_is_shown_beside_what_may_be(grove):
    assert await text(grove, "proc/df") == (
        "storage\tresources\tof\tbytes\tof\ndurable\t3\t20\t9\t5000\nmemory\t1\t20\t8\t5000\n"
    )


async def test_the_version_is_told(grove):
    assert (await text(grove, "proc/version")).startswith("tallystick")


async def test_an_etag_changes_with_what_is_shown(grove):
    before, again = [await grove.tree.get("proc/df") for _ in range(2)]
    await grove.put("home/e")

    assert before.etag == again.etag != (await grove.tree.get("proc/df")).etag


async def test_there_is_nothing_else(grove):
    with pytest.raises(NotFoundError, match="proc/df"):
        await grove.tree.get("proc/uptime")
    with pytest.raises(BadQueryError):
        await grove.tree.get("proc/df", ["limit=1"])


def configured(max_bytes=None, **resources):
    return GatewayConfig(
        origin="a",
        retention=RetentionConfig(max_bytes=max_bytes),
        resources=ResourcesConfig(**resources),
    )


def test_durable_resources_have_at_most_a_quarter_of_the_ledger():
    assert durable_limits(configured()) == Limits(524288, 10_000, 64 << 20)
    assert durable_limits(configured(max_bytes=1 << 40)).total_bytes == 64 << 20
    assert durable_limits(configured(max_bytes=100 << 20)).total_bytes == 25 << 20


async def test_a_tree_has_the_quotas_of_its_configuration():
    desk = Grove().desk
    config = configured(durable_resources=1, memory_resources=2)
    integrity = None

    tree = planted(config, desk.gateway.store, desk.sequencer, integrity, bytes)
    for path in ("home/a", "tmp/a", "tmp/b"):
        await tree.put(path, b"", None, who="@ci")

    for path in ("home/b", "tmp/c"):
        with pytest.raises(QuotaError):
            await tree.put(path, b"", None, who="@ci")
    await desk.stop()
