from io import StringIO

from config.terminal import console_for, print_table


def _printed(rows: list[list[str]]) -> list[str]:
    stream = StringIO()
    print_table(console_for(stream), ("First", "Second"), rows)
    return stream.getvalue().splitlines()


def test_prints_one_whole_line_for_each_row_where_no_person_looks() -> None:
    assert _printed([["a", "x " * 100], ["long", "[y]"]]) == [f"a     {'x ' * 100}".rstrip(), "long  [y]"]
