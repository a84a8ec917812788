import io

import pytest

from crm_events.management import event_lines
from crm_events.management.event_lines import BadLine, Item, batches, body_of, read_lines


def held(text: bytes) -> list[list[Item] | BadLine]:
    return [line.holds for line in read_lines(io.BytesIO(text))]


def test_reads_an_event_a_line() -> None:
    assert held(b'{"a":1}\n{"a":2}\n') == [[Item(1, '{"a":1}')], [Item(2, '{"a":2}')]]


def test_reads_the_events_of_an_array() -> None:
    assert held(b'[{"a":1}, {"a":2}]\n') == [[Item(1, '{"a":1}'), Item(1, '{"a":2}')]]


def test_reads_a_last_line_without_its_end() -> None:
    assert held(b'{"a":1}\n{"a":2}')[1] == [Item(2, '{"a":2}')]


def test_keeps_the_text_of_an_event_as_it_stands() -> None:
    items = [Item(1, '{"n": 1.50}'), Item(2, '{"n":12345678901234567890}')]
    assert body_of(items) == b'[{"n": 1.50},{"n":12345678901234567890}]'


def test_passes_over_empty_lines_and_counts_them() -> None:
    assert held(b'\n  \r\n{"a":1}\n') == [[], [], [Item(3, '{"a":1}')]]


def test_takes_no_offence_at_a_byte_order_mark() -> None:
    assert held(b'\xef\xbb\xbf{"a":1}\n') == [[Item(1, '{"a":1}')]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":', "It is not JSON: Expecting value at character 6."),
        (b'"text"', "It must be a JSON object or an array of objects."),
        (b'{"a": NaN}', "It holds NaN, which JSON does not have."),
        (b'{"a": "\xff"}', "It is not UTF-8: byte 7 does not fit."),
    ],
)
def test_says_what_is_wrong_with_a_line_and_goes_on(line: bytes, reason: str) -> None:
    assert held(b'{"a":1}\n' + line + b'\n{"a":3}') == [[Item(1, '{"a":1}')], BadLine(2, reason), [Item(3, '{"a":3}')]]


def test_passes_over_a_line_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_lines, "MAX_LINE_BYTES", 10)
    lines = list(read_lines(io.BytesIO(b'{"a":"' + b"x" * 35 + b'"}\n{"a":1}\n')))
    assert [line.holds for line in lines] == [BadLine(1, "It is longer than 10 bytes."), [Item(2, '{"a":1}')]]


def test_counts_every_byte_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_lines, "MAX_LINE_BYTES", 10)
    text = b'{"a":1}\n\n' + b"x" * 35 + b"\n[]"
    assert sum(line.size for line in read_lines(io.BytesIO(text))) == len(text)


def test_puts_so_many_events_into_a_batch() -> None:
    items = [Item(n, "{}") for n in range(5)]
    assert [len(batch) for batch in batches(iter(items), 2)] == [2, 2, 1]


def test_puts_no_more_into_a_batch_than_a_request_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_lines, "_MAX_BATCH_BYTES", 10)
    items = [Item(1, "x" * 6), Item(2, "x" * 4), Item(3, "x"), Item(4, "x" * 30)]
    assert [[item.line for item in batch] for batch in batches(iter(items), 100)] == [[1, 2], [3], [4]]
