"""What is read block by block is read once, and never as it was."""

import asyncio

import pytest

from gateway.coap import recent
from gateway.coap.recent import MAX_BYTES, MAX_RESOURCES, Recent
from gateway.errors import NotFoundError
from gateway.resources import Found


class Shelf:
    """Resources that count how often they are read, and can be slow to be."""

    def __init__(self):
        self.contents = {"home/a": b"1"}
        self.reads = 0
        self.watchers = {}
        self.gate = None

    async def get(self, path, queries=()):
        self.reads += 1
        content = self.contents.get(path)
        if self.gate:
            await self.gate.wait()
        if content is None:
            raise NotFoundError(path)
        return Found(content, None, bytes(32))

    def watch(self, path, changed):
        self.watchers.setdefault(path, []).append(changed)
        return lambda: self.watchers[path].remove(changed)

    def change(self, content, path="home/a"):
        self.contents[path] = content
        for changed in list(self.watchers.get(path, [])):
            changed()

    @property
    def watched(self):
        return sum(map(len, self.watchers.values()))


async def read(recent, again=True, path="home/a"):
    return (await recent.get(path, again=again)).content


async def test_later_blocks_come_of_the_first_reading_until_there_is_a_change():
    shelf = Shelf()
    recent = Recent(shelf)

    before = [await read(recent, again=n > 0) for n in range(5)]
    shelf.change(b"2")
    after = await read(recent)

    assert (before, after, shelf.reads) == ([b"1"] * 5, b"2", 2)


async def test_a_first_block_is_always_read():
    shelf = Shelf()
    recent = Recent(shelf)

    for _ in range(3):
        await read(recent, again=False)

    assert (shelf.reads, len(recent), shelf.watched) == (3, 1, 1)


async def test_what_changes_while_it_is_read_is_not_kept():
    shelf = Shelf()
    recent = Recent(shelf)
    shelf.gate = asyncio.Event()
    reading = asyncio.create_task(read(recent))
    await asyncio.sleep(0)
    shelf.change(b"2")
    shelf.gate.set()

    assert await reading == b"1"
    assert (len(recent), shelf.watched) == (0, 0)
    assert await read(recent) == b"2"


async def test_two_who_read_at_once_leave_one_reading():
    shelf = Shelf()
    recent = Recent(shelf)

    await asyncio.gather(read(recent), read(recent))

    assert (len(recent), shelf.watched, recent.size_bytes) == (1, 1, 1)


async def test_what_is_not_there_leaves_nothing():
    shelf = Shelf()
    recent = Recent(shelf)

    with pytest.raises(NotFoundError):
        await read(recent, path="home/b")

    assert (len(recent), shelf.watched) == (0, 0)


@pytest.mark.parametrize(("size", "kept"), [(1, MAX_RESOURCES), (MAX_BYTES // 4, 4)])
async def test_the_least_recently_read_makes_room(size, kept):
    shelf = Shelf()
    recent = Recent(shelf)
    for n in range(MAX_RESOURCES + 5):
        shelf.contents[f"home/{n}"] = bytes(size)
        await read(recent, path=f"home/{n}")

    assert (len(recent), shelf.watched, recent.size_bytes) == (kept, kept, kept * size)


async def test_what_is_too_large_is_not_kept():
    shelf = Shelf()
    shelf.contents["home/a"] = bytes(recent.MAX_BYTES + 1)
    held = Recent(shelf)

    await read(held)

    assert (len(held), shelf.watched) == (0, 0)
