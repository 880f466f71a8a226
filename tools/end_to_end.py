"""End to end: what devices have signed, held to their own keys, past whoever kept it.

The rest of `verify` says that the ledger is what the gateway signed. This says what of it the
gateway cannot have made up, and what it has not shown.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol import sealed_reader, sign1_reader
from protocol.enrolment import MAC
from protocol.errors import ProtocolError
from protocol.sign1_reader import Signed
from tools.chains import Chain, Sender, new_links
from tools.senders import Keys, Senders
from tools.sources import Row

PACK, _RECOVERED = b"pack", b"recovered"
ENTRIES, GIVEN = "as the entries `enrolled` say", "those you gave"
_MAX_FAULTS = 20  # that are told; all are counted
_MAX_NAMED = 5


@dataclass
class EndToEnd:
    """`faults` are the first ones, in order; `strangers` are devices that the file does not name,
    with how many packs they have signed.
    """

    keys_from: str
    signed: int = 0
    by_gateway: int = 0
    deleted: int = 0
    fault_count: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    devices: list[Sender] = field(default_factory=list)
    strangers: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.fault_count and not any(device.withheld for device in self.devices)


class _Step(NamedTuple):
    """A pack that is to be checked; one whose body was deleted has none to check."""

    at: int
    sender: Sender
    signed: Signed | None
    body: bytes


class Checking:
    """Sees every entry in order, once the rest of `verify` has found it sound."""

    def __init__(self, keys: Keys | None = None) -> None:
        """`keys` are those that its reader trusts; None: those that the ledger tells of."""
        self._senders = Senders(keys)
        self.result = EndToEnd(ENTRIES if keys is None else GIVEN)
        self._by_name: dict[str, Sender] = {}
        self._links: dict[str, deque[bytes]] = {}
        self._chains: dict[bytes, Chain] = {}
        self._deleted: Counter[str] = Counter()  # of each name, since its last pack
        self._goes_on = False
        self._strangers: Counter[str] = Counter()

    def add(self, rows: Sequence[Row]) -> None:
        """Entries, in order."""
        steps: list[_Step] = []
        for index, kind, source, _, _, _, _, body in rows:
            if kind == PACK:
                steps += self._pack(index, source.decode(), body)
            elif kind == _RECOVERED:
                self._goes_on = True
            elif body is not None:
                self._senders.learn(kind.decode(), body)
        held = iter(self._senders.hold([step.signed for step in steps if step.signed]))
        for step in steps:
            if step.signed is None:
                self._deleted[step.sender.name] += 1
            elif next(held):
                self._place(step, step.signed)
            else:
                self._fault(step.at, f"{step.sender.name}: the signature is forged")

    def end(self) -> EndToEnd:
        """After the last entry."""
        result = self.result
        result.strangers = dict(self._strangers)
        result.devices = [self._by_name[name] for name in sorted(self._by_name)]
        for device in result.devices:
            result.signed += device.signed
            result.by_gateway += device.by_gateway
            result.deleted += device.deleted
        return result

    def _pack(self, index: int, name: str, body: bytes | None) -> "list[_Step]":
        """What is to be done with a pack once it was checked; what needs no check is done."""
        sender = self._by_name.setdefault(name, Sender(name))
        if body is None:
            sender.deleted += 1
            return [_Step(index, sender, None, b"")]
        if sealed_reader.profile_of(body) == MAC:
            sender.by_gateway += 1
            if self._senders.signs(name):
                self._fault(index, f"{name} signs, and this pack is not signed")
            return []
        try:
            signed = sign1_reader.parse(body)
        except ProtocolError as error:
            self._fault(index, f"no envelope: {error}")
            return []
        objection = self._senders.objection(name, signed.kid)
        if objection is None:
            return [_Step(index, sender, signed, body)]
        if self._senders.given and not self._senders.signs(name):
            self._strangers[name] += 1
        else:
            self._fault(index, f"{name}: {objection}")
        return []

    def _place(self, step: "_Step", signed: Signed) -> None:
        sender = step.sender
        sender.signed += 1
        chain = self._chains.get(signed.kid)
        if chain is None:
            links = self._links.setdefault(sender.name, new_links())
            chain = Chain(sender, links, goes_on=self._goes_on)
            self._chains[signed.kid] = chain
        objection = chain.add(signed, step.body, self._deleted.pop(sender.name, 0))
        if objection is not None:
            self._fault(step.at, f"{sender.name}: {objection}")

    def _fault(self, index: int, what: str) -> None:
        self.result.fault_count += 1
        if len(self.result.faults) < _MAX_FAULTS:
            self.result.faults.append((index, what))


def not_checked(result: EndToEnd | None) -> Iterator[str]:
    """What is not said of the devices, known before the work begins."""
    if result is None:
        yield (
            "who measured: --end-to-end checks what devices have signed; a tag (profile mac)"
            " proves the device to its gateway only"
        )
        return
    if result.keys_from == ENTRIES:
        yield "whose keys the devices' are: the gateway's own entries say it; give --keys FILE"
    yield "that the newest packs are here: a device that goes on shows it, one that is silent not"


def outcome(result: EndToEnd) -> Iterator[str]:
    """Lines for people, when all is done."""
    signing = [device for device in result.devices if device.signed]
    yield f"  devices  {len(signing)} have signed {result.signed} packs; keys: {result.keys_from}"
    yield from _uncounted(result)
    for device in signing:
        if device.unlinked > 1:
            yield f"  not      {device.name}: what came before {device.unlinked - 1} of its starts"
        if device.missing:
            yield f"  missing  {_missing(device)}"
    for index, what in result.faults:
        yield f"  WRONG    entry {index}: {what}"
    if result.fault_count > len(result.faults):
        yield f"  WRONG    and {result.fault_count - len(result.faults)} more"


def _uncounted(result: EndToEnd) -> Iterator[str]:
    if result.by_gateway:
        yield f"  not      {result.by_gateway} packs with tags: by the gateway's word"
    if result.deleted:
        yield f"  not      {result.deleted} packs whose bodies were deleted"
    for name, count in result.strangers.items():
        yield f"  not      {count} packs of {name}, whose key you did not give"


def reason(result: EndToEnd) -> str:
    """Why it does not hold, in one line."""
    if result.faults:
        return result.faults[0][1]
    first = next(device for device in result.devices if device.withheld)
    return f"packs were signed that are not here: {_missing(first)}"


def _missing(device: Sender) -> str:
    named = ", ".join(device.missing_named[:_MAX_NAMED])
    more = ", …" if len(device.missing_named) > _MAX_NAMED else ""
    lost = min(device.lost, device.missing)
    told = f"; the device says that it lost {lost}" if lost else ""
    left = f"; {device.withheld} withheld, or lost on their way" if device.withheld else ""
    return f"{device.missing} of {device.name}: {named}{more}{told}{left}"
