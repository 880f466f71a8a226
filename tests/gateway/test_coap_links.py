"""`/.well-known/core`: links, and all of their filters at once (RFC 6690)."""

import hashlib

import pytest

from gateway.coap.links import Link, format_links, well_known
from gateway.coap.requests import CONTENT_FORMAT, ETAG, GET
from gateway.errors import BadQueryError
from tests.gateway.asking import asked

LINKS = [
    Link("/r", rt="tallystick.readings", ct=(17,)),
    Link("/time", rt="tallystick.time", ct=(60,)),
    Link("/home/", rt="tallystick.tree files", title='a "tree"', obs=True),
    Link("/two", rt="tallystick.time", ct=(17, 60)),
]


def hrefs(*queries):
    text = format_links(LINKS, queries).decode()
    return [part.split(">")[0] for part in text.split("<")[1:]]


def test_links_are_written_as_the_rfc_has_them():
    assert format_links(LINKS).decode() == (
        '</r>;rt="tallystick.readings";ct=17,'
        '</time>;rt="tallystick.time";ct=60,'
        '</home/>;rt="tallystick.tree files";title="a \\"tree\\"";obs,'
        '</two>;rt="tallystick.time";ct="17 60"'
    )


FILTERS = {
    "rt": (["rt=tallystick.time"], ["/time", "/two"]),
    "rt, one of several": (["rt=files"], ["/home/"]),
    "rt by its beginning": (["rt=tallystick.t*"], ["/time", "/home/", "/two"]),
    "ct": (["ct=17"], ["/r", "/two"]),
    "ct is a number and no prefix": (["ct=1"], []),
    "rt and ct": (["rt=tallystick.time", "ct=17"], ["/two"]),
    "the other way round": (["ct=17", "rt=tallystick.time"], ["/two"]),
    "href": (["href=/r"], ["/r"]),
    "href by its beginning": (["href=/t*"], ["/time", "/two"]),
    "everything": (["href=*"], ["/r", "/time", "/home/", "/two"]),
    "title": (['title=a "tree"'], ["/home/"]),
    "obs has no value": (["obs="], ["/home/"]),
    "what none has": (["if=sensor"], []),
    "nothing fits both": (["href=/r", "ct=60"], []),
}


@pytest.mark.parametrize(("queries", "left"), FILTERS.values(), ids=FILTERS)
def test_a_link_is_shown_if_every_filter_lets_it_through(queries, left):
    assert hrefs(*queries) == left


@pytest.mark.parametrize("query", ["", "rt", "=time"])
def test_a_query_that_is_no_filter_is_refused(query):
    with pytest.raises(BadQueryError):
        format_links(LINKS, [query])


async def test_a_listing_has_its_format_and_an_etag_of_its_own():
    get = well_known(LINKS, lambda data: hashlib.sha256(data).digest())

    whole = await get(asked(GET, ".well-known/core"))
    some = await get(asked(GET, ".well-known/core", query="ct=17"))

    assert whole.number(CONTENT_FORMAT) == 40
    assert whole.payload == format_links(LINKS)
    assert len(whole.first(ETAG)) == 8
    assert whole.first(ETAG) != some.first(ETAG)
