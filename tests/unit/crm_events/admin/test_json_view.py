import json
import re
from html import unescape

import pytest

from crm_events.admin.json_view import SHOWN_CHARACTERS, pretty_json


def _plain(text: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", pretty_json(text)))


def test_indents_objects_and_lists() -> None:
    assert _plain('{"a":[1,{"b":null}],"c":{}}') == (
        '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {}\n}'
    )


@pytest.mark.parametrize("text", ["1795444742617203714", "1.10", "1E400", '"\\u0000\\ud83d"', '"a, b: [c] \\" {"'])
def test_keeps_every_digit_and_escape(text: str) -> None:
    assert _plain(text) == text


def test_reads_back_as_the_same_value() -> None:
    value = {"a": [], "b": [[1, 2.5], {"c": "x y"}], "d": "\\", "": None}
    assert json.loads(_plain(json.dumps(value))) == value


def test_leaves_no_markup_of_the_text() -> None:
    assert "<script" not in pretty_json('{"<script>": "<script>", "x": <script>}')


@pytest.mark.parametrize("text", ["", '"open', "}}}]", "no json at all", '{"a"', "\x00"])
def test_takes_any_text(text: str) -> None:
    assert isinstance(pretty_json(text), str)


def test_deep_nesting_stays_small() -> None:
    assert len(pretty_json("[" * 50_000 + "]" * 50_000)) < 50_000 * 200


def test_shows_no_more_than_it_should() -> None:
    assert len(_plain('"' + "x" * 300_000 + '"')) <= SHOWN_CHARACTERS
