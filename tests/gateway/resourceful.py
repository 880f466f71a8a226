"""Wishes to change resources, and a tree over a real sequencer."""

from gateway.integrity import Integrity
from gateway.ledger.batch import Submission
from gateway.ledger.changes import ALWAYS, Limits, Wish
from gateway.ledger.log import Draft
from gateway.resources.memory import MemoryTree
from gateway.resources.tree import ResourceTree
from protocol.resource import DELETE, POST, PUT
from tests.gateway.desk import Desk

LIMITS = Limits(resource_bytes=1000, resources=20, total_bytes=5000)


def wanted(kind, path, content=b"", content_format=None, **wish):
    """One change of a resource, as it is submitted."""
    fields = {"who": "@ci", "limits": LIMITS, "content_format": content_format} | wish
    return Submission(Draft(kind, path, content), wish=Wish(**fields))


def put(path, content=b"x", content_format=None, **wish):
    return wanted(PUT, path, content, content_format, **wish)


def post(path, content=b"x", content_format=None, **wish):
    return wanted(POST, path, content, content_format, **wish)


def delete(path, **wish):
    return wanted(DELETE, path, **wish)


class Grove:
    """A tree on a desk, and what it has told of superseded entries."""

    def __init__(self, store=None, limits=LIMITS, **config):
        self.desk = Desk(store, **config)
        self.superseded = []
        self.integrity = Integrity(self.desk.gateway.metrics, self.desk.sequencer.submit)
        self.tree = ResourceTree(
            self.desk.gateway.store,
            self.desk.sequencer.submit,
            self.integrity,
            MemoryTree(limits, bytes(32)),
            limits,
        )
        self.tree.on_superseded = self.superseded.append

    async def put(self, path, content=b"x", content_format=None, conditions=ALWAYS):
        return await self.tree.put(path, content, content_format, who="@ci", conditions=conditions)

    async def post(self, path, content=b"x", content_format=None, conditions=ALWAYS):
        return await self.tree.post(path, content, content_format, who="@ci", conditions=conditions)

    async def delete(self, path, conditions=ALWAYS):
        return await self.tree.delete(path, who="@ci", conditions=conditions)

    async def stop(self):
        await self.desk.stop()
