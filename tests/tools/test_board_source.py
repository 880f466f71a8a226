from tools.board_source import for_boards


def test_what_only_type_checkers_read_is_left_out_and_lines_keep_their_numbers():
    source = "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import typing\n\nfirst = 1\n"

    assert for_boards(source) == "\n\n\n\nfirst = 1\n"


def test_private_whole_numbers_become_constants():
    source = "_DAY_S = 24 * 3600\n_A, _B = -1, 1 << 4\n_DAY_MS = (\n    1000 * _DAY_S\n)\n"

    assert for_boards(source) == (
        "_DAY_S = const(86400)\n_A = const(-1); _B = const(16)\n_DAY_MS = const(86400000)\n\n\n"
    )


def test_everything_else_stays_as_it_is():
    source = (
        "from x import y\nLIMIT = 5\n_TEXT = 'five'\n_YES = True\n_A, text = 1, 2\n"
        "_CALL = y(1)\n_LEFT = LIMIT + 1\n_A = _B = 3\n\n\ndef f():\n    _LOCAL = 1\n"
    )

    assert for_boards(source) == source
