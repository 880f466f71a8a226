"""What must hold of a directory after its power failed: the oracle of every image.

Knows only what a witness outside was told, and opens the directory as the gateway does.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import apsw

from gateway.directory import Directory
from gateway.ledger import fsck
from gateway.ledger.batch import ALERT, Kept, Submission
from tests.fakes import ORIGIN, FakeDevice
from tests.storage.lives import Asked, Content, Life, Members, Witness, noted, shape
from tools.verify import verdicts_of

After = TypeVar("After", Content, Members)
_LATE = FakeDevice("late")


class Memory(NamedTuple):
    """What a witness knew when the power failed.

    The first of `ledger` and of `members` was answered; a second was asked for, and may be there.
    """

    ledger: list[tuple[Asked, Content]]
    members: list[tuple[Asked, Members]]
    published: int


def memory(witness: Witness, at: int) -> Memory:
    return Memory(
        _possible(witness.ledger, at),
        _possible(witness.members, at),
        max((size for step, size in witness.published if step <= at), default=0),
    )


def judge(directory: Directory, known: Memory, witness: Witness, *, outside: bool) -> None:
    """AssertionError, or the gateway's own refusal, where something is not as it must be.

    `witness` sees the life that begins here. `outside` asks the outside verifier, too.
    """
    witness.numbers.update(number for _, content in known.ledger for number in content.numbers)
    life = Life(directory, witness)
    try:
        held = _judge_what_is_there(life, known)
        _judge_repeats(life, known, held)
        judge_going_on(life)
    finally:
        life.close()
    for path in (directory.ledger, directory.keys):
        judge_database(path)
    if outside:
        (verdict,) = verdicts_of(str(directory.path))
        assert verdict.valid, f"verify: entry {verdict.first_bad}: {verdict.reason}"


def _judge_what_is_there(life: Life, known: Memory) -> Asked:
    """All that was answered, and at most what was on its way: whole, and in its place."""
    content, members = life.content(), life.members()
    fitting = [asked for asked, after in known.ledger if after == content]
    assert fitting, _difference(content, known)
    assert members in [after for _, after in known.members], "keys.sqlite is of another moment"
    assert life.signed_at_start >= known.published, (
        f"a checkpoint of {known.published} was published, one of {life.signed_at_start} is there"
    )
    life.remember()
    return fitting[-1]


def _judge_repeats(life: Life, known: Memory, held: Asked) -> None:
    """Whoever asks again hears what it would have heard."""
    for asked, _ in reversed(known.ledger):
        again = life.commit(asked.submissions)
        for submission, first, outcome in zip(
            asked.submissions, asked.outcomes, again, strict=True
        ):
            if not isinstance(first, Kept):
                assert shape(outcome) == first
                continue
            assert isinstance(outcome, Kept), outcome
            (entry,) = life.store.read(lambda r, n=outcome.index: r.entries(n, n + 1))
            assert entry.body in (submission.draft.body, None)  # None: pruned since
            if asked is held or asked is known.ledger[0][0]:
                assert outcome == Kept(first.index, repeat=True)
            else:
                assert outcome.repeat == first.repeat


def judge_going_on(life: Life) -> None:
    """What comes next is kept and signed, and the whole is sound."""
    changes: Sequence[Submission] = [noted(change) for change in life.keys.changes(0)]
    assert all(isinstance(one, Kept) for one in life.commit(changes)), "keys contradict the ledger"
    size = life.writer.size
    assert life.commit([_LATE.submission(size)]) == [Kept(size, repeat=False)]
    report = fsck.check(life.store, ORIGIN, life.sign())
    assert report.valid, f"fsck: entry {report.first_bad}: {report.reason}"
    assert life.writer.signed_size == report.entries == size + 1
    bodies = Counter(
        (one.kind, one.source, one.body)
        for one in life.content().entries
        if one.kind != ALERT and one.body is not None
    )
    assert max(bodies.values()) == 1, "something is there twice"


def judge_database(path: Path) -> None:
    connection = apsw.Connection(str(path))
    found = connection.pragma("integrity_check")
    connection.close()
    assert found == "ok", f"{path.name}: {found}"


def _possible(history: list[tuple[Asked, After]], at: int) -> list[tuple[Asked, After]]:
    answered = [one for one in history if one[0].ended <= at]
    return answered[-1:] + [one for one in history if one[0].begun <= at < one[0].ended]


def _difference(content: Content, known: Memory) -> str:
    _, answered = known.ledger[0]
    for index, (held, right) in enumerate(zip(content.entries, answered.entries, strict=False)):
        if held != right:
            return f"entry {index} is not the one that was answered"
    return (
        f"{len(answered.entries)} entries were answered, {len(content.entries)} are there;"
        f" states {content.states}, answered with {answered.states}"
    )
