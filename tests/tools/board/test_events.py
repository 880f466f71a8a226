"""What a board says, told to people."""

import pytest

from tools.board import events


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            '{"event": "kept", "sequence": 3, "readings": 1}',
            "kept           sequence 3  readings 1",
        ),
        ('{"event": "clock-set"}', "clock-set"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("\x1b[2Jgone", "?[2Jgone"),
        ('{"no": "event"}', '{"no": "event"}'),
        ("[1, 2", "[1, 2"),
    ],
)
def test_an_event_is_a_line_of_words_and_what_is_none_is_shown_as_it_came(line, told):
    assert events.told(events.parsed(line)) == told
