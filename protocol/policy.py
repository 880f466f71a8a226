"""Policy: which logs are meant, and which of their witnesses are enough (C2SP tlog-policy).

A file of lines: `log`, `witness`, `group` and one `quorum`. Names are bytes without a meaning
of their own; they are not the names in the keys.
"""

from collections import namedtuple

from protocol import cosignature
from protocol import note as notes
from protocol.cosignature import Cosigned
from protocol.errors import BadSignatureError, MalformedError, ProtocolError
from protocol.note import Note, VerifierKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.note import Verify

NONE = b"none"  # the quorum that needs nobody
MAX_POLICY_BYTES = 65_536


class Log(namedtuple("Log", ("key", "url"))):
    key: VerifierKey
    url: str


class Witness(namedtuple("Witness", ("name", "key", "url"))):
    name: bytes
    key: VerifierKey
    url: str


class Group(namedtuple("Group", ("name", "threshold", "members"))):
    """Has witnessed what at least `threshold` of its members have."""

    name: bytes
    threshold: int
    members: list[bytes]


class Policy(namedtuple("Policy", ("logs", "witnesses", "groups", "quorum"))):
    """`groups` are in the order of their definition: a member is defined before its group."""

    logs: list[Log]
    witnesses: list[Witness]
    groups: list[Group]
    quorum: bytes


def cosigners(policy: Policy, note: Note, verify: "Verify") -> dict[bytes, Cosigned]:
    """The policy's names of those that cosigned. BadSignatureError where a line is forged."""
    found = {}
    for witness in policy.witnesses:
        cosigned = cosignature.check(note, witness.key, verify)
        if cosigned is not None:
            found[witness.name] = cosigned
    return found


def is_enough(policy: Policy, names: "set[bytes]") -> bool:
    """Whether these witnesses together are the quorum."""
    witnessed = set(names)
    witnessed.add(NONE)
    for group in policy.groups:
        if len([name for name in group.members if name in witnessed]) >= group.threshold:
            witnessed.add(group.name)
    return policy.quorum in witnessed


def check(policy: Policy, note: Note, verify: "Verify") -> list[Cosigned]:
    """Who cosigned; BadSignatureError where that is not the quorum, or a line is forged.

    Whose note it is, is not looked at: see `log_key`.
    """
    found = cosigners(policy, note, verify)
    if not is_enough(policy, set(found)):
        seen = ", ".join([cosigned.name for cosigned in found.values()]) or "nobody"
        raise BadSignatureError(f"cosigned by {seen}: that is not the policy's quorum")
    return list(found.values())


def log_key(policy: Policy, note: Note, origin: str, verify: "Verify") -> VerifierKey:
    """The key of the policy's log `origin` that signed the note; BadSignatureError if none did."""
    reason = f"the policy has no log {origin}"
    for log in policy.logs:
        if log.key.name == origin:
            try:
                notes.signed_by(note, log.key, verify)
                return log.key
            except BadSignatureError as error:
                reason = str(error)
    raise BadSignatureError(reason)


# --- the file -------------------------------------------------------------------------------


def parse(data: bytes) -> Policy:
    """MalformedError names the line that is wrong."""
    if len(data) > MAX_POLICY_BYTES:
        raise MalformedError(f"a policy over {MAX_POLICY_BYTES} bytes")
    if data and not data.endswith(b"\n"):
        raise MalformedError("a policy whose last line has no end")
    parser = _Parser()
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            parser.take(line)
        except ProtocolError as error:
            raise MalformedError(f"line {number}: {error}")
    if parser.quorum is None:
        raise MalformedError("a policy without a quorum line")
    return Policy(parser.logs, parser.witnesses, parser.groups, parser.quorum)


class _Parser:
    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: bytes | None = None
        self._names: set[bytes] = set()
        self._members: set[bytes] = set()  # of any group: each name counts in one place
        self._keys: set[tuple[int, bytes]] = set()
        self._lines: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum,
        }

    def take(self, line: bytes) -> None:
        for byte in line:
            if (byte < 0x20 and byte != 0x09) or byte == 0x7F:
                raise MalformedError("a control character")
        items = line.split()
        if not items or items[0].startswith(b"#"):
            return
        if items[0] not in self._lines:
            raise MalformedError("it is none of log, witness, group and quorum")
        self._lines[items[0]](items[1:])

    def _log(self, items: list[bytes]) -> None:
        if len(items) not in (1, 2):
            raise MalformedError("a log is `log KEY [URL]`")
        self.logs.append(Log(self._key(items[0], notes.ED25519), _url(items[1:])))

    def _witness(self, items: list[bytes]) -> None:
        if len(items) not in (2, 3):
            raise MalformedError("a witness is `witness NAME KEY [URL]`")
        key = self._key(items[1], notes.COSIGNATURE)
        self._define(items[0])
        self.witnesses.append(Witness(items[0], key, _url(items[2:])))

    def _group(self, items: list[bytes]) -> None:
        if len(items) < 3:
            raise MalformedError("a group is `group NAME any|all|K MEMBER…`")
        name, threshold, members = items[0], items[1], items[2:]
        for member in members:
            if member not in self._names:
                raise MalformedError(f"no witness or group {_shown(member)} before it")
            if member in self._members:
                raise MalformedError(f"{_shown(member)} is a member already")
            self._members.add(member)
        self.groups.append(Group(name, _threshold(threshold, len(members)), members))
        self._define(name)

    def _quorum(self, items: list[bytes]) -> None:
        if len(items) != 1 or self.quorum is not None:
            raise MalformedError("there is one quorum, `quorum NAME`")
        if items[0] != NONE and items[0] not in self._names:
            raise MalformedError(f"no witness or group {_shown(items[0])} before it")
        self.quorum = items[0]

    def _define(self, name: bytes) -> None:
        if name == NONE or name in self._names:
            raise MalformedError(f"the name {_shown(name)} is taken")
        self._names.add(name)

    def _key(self, item: bytes, algorithm: int) -> VerifierKey:
        key = notes.parse_key(_text(item))
        if key.algorithm != algorithm:
            raise MalformedError(f"a key of signature type {key.algorithm}, not {algorithm}")
        if (algorithm, key.public) in self._keys:
            raise MalformedError("a key that another line has")
        self._keys.add((algorithm, key.public))
        return key


def _threshold(item: bytes, count: int) -> int:
    if item == b"any":
        return 1
    if item == b"all":
        return count
    threshold = notes.parse_size(_text(item))
    if not 1 <= threshold <= count:
        raise MalformedError(f"{threshold} of {count} members")
    return threshold


def _url(items: list[bytes]) -> str:
    return _text(items[0]) if items else ""


def _text(item: bytes) -> str:
    try:
        return str(item, "utf-8")
    except UnicodeError:
        raise MalformedError("no UTF-8")


def _shown(name: bytes) -> str:
    return repr(name)[1:]
