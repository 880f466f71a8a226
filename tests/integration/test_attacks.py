"""The attacks on a ledger, each caught, each saying by whom (docs/trust.md).

The attacker is root at the gateway: has its files, its key and its devices' secrets. The
table also says who does *not* notice, and that is checked as well.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.errors import ConfigError
from gateway.ledger.signer import Signer
from protocol import policy as policies
from protocol.checkpoint import unverified
from tests.integration import forging
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.integration.neighbours import (
    NeighbourGateway,
    anchor,
    policy_of,
    wait_until_anchored,
)
from tests.integration.scenes import (
    SILENT,
    Scene,
    checker,
    collector,
    fill,
    holder,
    knows_the_new_key,
    last_holder,
    reader,
    start,
)
from tools.verify import Held, Verdict, verdicts_of

pytestmark = [pytest.mark.integration, pytest.mark.damages_ledgers]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Two runs of both services with devices; the copy and the note are from between them."""
    site = Site(tmp_path_factory.mktemp("past"))
    fill(site, "load-1", 25)
    older_note = (site.gateway_dir / "checkpoint").read_text()
    older_copy = site.gateway_dir.with_name("older")
    shutil.copytree(site.gateway_dir, older_copy)
    fill(site, "load-2", 25)
    vkey = (site.gateway_dir / "verifier.key").read_text().strip()
    newest_note = (site.gateway_dir / "checkpoint").read_text()
    return Scene(site, older_note, older_copy, newest_note, vkey)


@pytest.fixture
def scene(past: Scene, tmp_path: Path) -> Iterator[Scene]:
    twin = past._replace(site=past.site.copied(tmp_path))
    yield twin
    twin.site.stop()


# --- the attacks ----------------------------------------------------------------------------


class Attack(NamedTuple):
    commit: Callable[[Scene], None]
    caught_by: dict[Callable[[Scene], str | None], str]
    not_by: tuple[Callable[[Scene], str | None], ...] = ()


def edited(scene: Scene) -> None:
    forging.execute(scene.directory, "UPDATE bodies SET body = zeroblob(90) WHERE idx = 9")


def edited_with_all_hashes(scene: Scene) -> None:
    change = forging.with_other_reading(scene.directory, 9)
    forging.rewrite(scene.directory, change)


def deleted_in_the_middle(scene: Scene) -> None:
    forging.rewrite(scene.directory, forging.without(9))


def reordered(scene: Scene) -> None:
    forging.rewrite(scene.directory, forging.swapped(9, 10))


def truncated(scene: Scene) -> None:
    forging.rewrite(scene.directory, forging.cut(30))


def truncated_and_signed(scene: Scene) -> None:
    forging.rewrite(scene.directory, forging.cut(12), forging.signer_of(scene.directory))


def rolled_back(scene: Scene) -> None:
    shutil.rmtree(scene.site.gateway_dir)
    shutil.copytree(scene.older_copy, scene.site.gateway_dir)


def rolled_back_database(scene: Scene) -> None:
    shutil.copy(scene.older_copy / "ledger.sqlite", scene.directory.ledger)


def rewritten_with_the_key(scene: Scene) -> None:
    change = forging.with_other_reading(scene.directory, 9)
    forging.rewrite(scene.directory, change, forging.signer_of(scene.directory))


def another_origins_database(scene: Scene) -> None:
    forging.execute(
        scene.directory,
        "UPDATE state SET value = CAST('test.invalid/other' AS BLOB) WHERE key = 'origin'",
    )


def turned(scene: Scene) -> Signer:
    """The ledger's key was rotated and everybody followed; the thief has a copy of the old one."""
    stolen = forging.signer_of(scene.directory)
    assert tallystick("rotate-key", scene.site.gateway_dir).returncode == 0
    fill(scene.site, "load-4", 5)
    return stolen


def stolen_key_signs_on(scene: Scene) -> None:
    """Everything is as it was; only the last checkpoint is one by the old key."""
    stolen = turned(scene)
    forging.execute(scene.directory, "DELETE FROM state WHERE key = 'checkpoint'")
    note = scene.directory.checkpoint.read_text()
    signed = unverified(note)
    scene.directory.checkpoint.write_text(stolen.sign(signed.size, signed.root))


def stolen_key_signs_another_past(scene: Scene) -> None:
    """The old key never went: no rotation, another reading, and its signature over all of it."""
    stolen = turned(scene)
    forging.rewrite(scene.directory, forging.without_rotations)
    change = forging.with_other_reading(scene.directory, 9)
    forging.rewrite(scene.directory, change, stolen)


def deleted_body_brought_back(scene: Scene) -> None:
    _, salt, body, _ = forging.entries_of(scene.directory)[9]
    done = tallystick("prune", scene.site.gateway_dir, "--index", "9", "--redact", "--yes")
    assert done.returncode == 0, done.stderr
    forging.put_body_back(scene.directory, 9, salt, body)


def body_deleted_unsaid(scene: Scene, *more: str) -> None:
    forging.execute(scene.directory, "DELETE FROM bodies WHERE idx = 9", *more)


DIFFERENT = "are not those that were signed"
DIFFERS = "differ from the checkpoint"
BEHIND = "the end was cut off, or an older copy was put back"
ATTACKS = {
    "a body edited": Attack(
        edited,
        {reader: "WRONG at entry 9: the body is not the one in the leaf", checker: "entry 9:"},
        not_by=(start,),  # it reads no old bodies; it never serves this one
    ),
    "a reading edited, all hashes computed anew": Attack(
        edited_with_all_hashes,
        {reader: DIFFERS, holder: DIFFERS, checker: DIFFERS, start: DIFFERENT},
    ),
    "an entry deleted, all hashes computed anew": Attack(
        deleted_in_the_middle,
        {reader: "is signed", holder: DIFFERS, checker: "is signed", start: BEHIND},
    ),
    "two entries swapped, all hashes computed anew": Attack(
        reordered, {reader: DIFFERS, holder: DIFFERS, checker: DIFFERS, start: DIFFERENT}
    ),
    "the end cut off": Attack(
        truncated, {reader: "the end is missing", checker: "is signed", start: BEHIND}
    ),
    "the end cut off, signed with the gateway's key": Attack(
        truncated_and_signed,
        {
            holder: "the end is missing",
            last_holder: "the end is missing",
            collector: "the upstream has seen",
        },
        not_by=(reader, checker, start),
    ),
    "an older database put back": Attack(
        rolled_back_database, {reader: "the end is missing", checker: "is signed", start: BEHIND}
    ),
    "the whole directory rolled back": Attack(
        rolled_back,
        {last_holder: "the end is missing", collector: "the upstream has seen"},
        not_by=(reader, holder, checker, start),
    ),
    "everything rewritten with the gateway's key": Attack(
        rewritten_with_the_key,
        {holder: DIFFERS, last_holder: DIFFERS, collector: "the upstream has seen"},
        not_by=(reader, checker, start),
    ),
    "a deleted body brought back": Attack(
        deleted_body_brought_back,
        {reader: "the body is there, although", checker: "the body is there, although"},
    ),
    "a body deleted, and no entry says so": Attack(
        body_deleted_unsaid, {reader: "no entry says who deleted it", checker: "no entry says"}
    ),
    "a body deleted, and the ledger called a collector's copy": Attack(
        lambda scene: body_deleted_unsaid(scene, forging.CALL_IT_A_COPY),
        {reader: "no entry says who deleted it", start: "says that it is a collector's copy"},
    ),
    "a stolen key that had its time signs on": Attack(
        stolen_key_signs_on,
        {reader: "whose time ended with entry", start: "whose time ended with entry"},
    ),
    "a stolen key that had its time signs another past": Attack(
        stolen_key_signs_another_past,
        {
            holder: DIFFERS,
            last_holder: DIFFERS,
            knows_the_new_key: "no signature by",
            start: "the last checkpoint is not ours",
            collector: "the last checkpoint is not ours",
        },
        not_by=(reader,),  # was told the old key only: nothing tells it that there is a new one
    ),
    "another origin's database": Attack(
        another_origins_database, {start: "belongs to 'test.invalid/other'"}
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_caught_by_who_the_table_says_and_by_nobody_else(scene: Scene, name: str) -> None:
    attack = ATTACKS[name]
    attack.commit(scene)

    # who finds nothing comes first: what the collector has shown, a later start remembers
    said = {who: who(scene) for who in (*attack.not_by, *attack.caught_by)}

    print(f"\n{name}")
    for who, words in said.items():
        told = attack.caught_by.get(who, "")
        line = next((part for part in (words or "").splitlines() if told in part), "")
        print(f"  {who.__name__:<12} {line[-110:] or 'finds nothing'}")
    for who, words in attack.caught_by.items():
        assert words in (said[who] or ""), (who.__name__, said[who], scene.site.logs())
    assert [who.__name__ for who in attack.not_by if said[who] is not SILENT] == []


def test_a_split_view_between_two_witnesses_passes_no_policy_that_asks_both(
    scene: Scene, tmp_path: Path
) -> None:
    """The gateway's key signs two histories; each witness is shown one, and cosigns it."""
    site, twin = scene.site, scene.site.copied(tmp_path / "twin")
    rewritten_with_the_key(scene._replace(site=twin))
    first, second = NeighbourGateway(site, "first"), NeighbourGateway(site, "second")
    try:
        show(site, first)
        show(twin, second)
        alone = judged(site, [site], first.vkey) + judged(site, [twin], second.vkey)
        both = judged(site, [site, twin], first.vkey, second.vkey)
        config = twin.gateway_dir / "tallystick.toml"
        text = config.read_text().replace(second.vkey, first.vkey)
        config.write_text(text.replace(second.url, first.url))
        with pytest.raises(
            ConfigError, match=r"the witness first\.invalid/ledger/witness has seen"
        ):
            twin.start_gateway()
    finally:
        for service in (twin, first, second):
            service.stop()

    print("\na split view between two witnesses")
    print(f"  a policy of one of them   finds nothing: {[verdict.reason for verdict in alone]}")
    print(f"  a policy of both          {both[0].reason}")
    print("  the other witness         has seen another history: the gateway does not start")
    assert [verdict.valid for verdict in alone] == [True, True]
    assert alone[0].root != alone[1].root
    assert [(verdict.valid, "quorum" in (verdict.reason or "")) for verdict in both] == [
        (False, True)
    ] * 2


def show(history: Site, witness: NeighbourGateway) -> None:
    """The gateway runs until this witness, and nobody else, has cosigned all it has."""
    anchor(history, (witness.vkey, witness.url))
    witness.start()
    history.start_gateway()
    wait_until_anchored(history)
    history.stop()


def judged(site: Site, shown: list[Site], *vkeys: str) -> list[Verdict]:
    """What a stranger says of each, who wants the cosignatures of all of these."""
    policy = policies.parse(policy_of(site, *vkeys))
    vkey = (site.gateway_dir / "verifier.key").read_text().strip()
    return [verdicts_of(str(one.gateway_dir), vkey, held=Held(policy=policy))[0] for one in shown]
