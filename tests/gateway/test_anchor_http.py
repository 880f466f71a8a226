"""What the gateway's own doors show of its anchors, and hear of the collector's."""

import pytest

from gateway.errors import RolledBackError
from gateway.forward.upstream import Answer
from protocol import checkpoint as checkpoints
from protocol import cose_receipt
from protocol import proof as proofs
from tests.gateway.test_forward_upstream import upstream
from tests.gateway.test_forward_worker import Site
from tests.gateway.web import Web
from tests.gateway.witnesses import note_of


async def test_the_anchored_checkpoint_is_asked_for_by_itself():
    web = Web()
    web.facts = web.facts._replace(anchored=note_of(web.gateway, 7))

    last, anchored = await web.get("/checkpoint"), await web.get("/checkpoint?anchored=1")

    assert last.text == web.gateway.writer.note
    assert anchored.text == note_of(web.gateway, 7)


@pytest.mark.parametrize(("query", "status"), [("anchored=1", 404), ("anchored=yes", 400)])
async def test_where_nothing_is_anchored_there_is_none(query, status):
    assert (await Web().get(f"/checkpoint?{query}")).status_code == status


async def test_a_proof_as_text_has_the_anchored_checkpoint_and_a_receipt_the_last():
    web = Web()
    anchored = note_of(web.gateway, 7)
    web.note_over = lambda index: anchored if index < 7 else web.gateway.writer.note

    texts = [await web.get(f"/events/{index}/proof") for index in (6, 7)]
    receipt = await web.get("/events/6/proof", accept="application/cose")

    notes = [proofs.parse_proof(text.text).note for text in texts]
    assert notes == [anchored, web.gateway.writer.note]
    assert cose_receipt.decode(receipt.content).size == 10


async def test_what_the_collector_cosigned_is_in_its_answer():
    shown = {"next_index": 7, "checkpoint": "note", "cosigned": "cosigned"}
    collector, silent = upstream(json=shown), upstream(json=shown | {"cosigned": None})

    answers = await collector.push(b"batch"), await silent.position("o")
    await collector.close()
    await silent.close()

    assert answers == (Answer(7, "note", (), "cosigned"), Answer(7, "note", (), ""))


async def test_the_worker_passes_on_what_was_cosigned_with_every_answer():
    site, heard = Site(), []
    site.worker.on_cosigned = heard.append
    position = site.upstream.position

    async def cosigned(origin):
        return (await position(origin))._replace(cosigned=site.gateway.writer.note)

    site.upstream.position = cosigned
    await site.run_until_there()

    assert heard == [site.gateway.writer.note, "", "", "", ""]


async def test_a_cosigned_note_of_ours_that_we_do_not_continue_stops_us():
    site, whole = Site(size=12), Site()
    assert checkpoints.unverified(whole.gateway.writer.note).size == 20

    async def position(origin):
        return Answer(12, "", (), whole.gateway.writer.note)

    site.upstream.position = position

    with pytest.raises(RolledBackError, match="the upstream has seen 20 entries"):
        await site.worker.greet(10)
