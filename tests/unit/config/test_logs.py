import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings

from config.logs import logging_config, resolve_format


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logging.config.dictConfig(logging_config("json", "INFO"))
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_writes_bound_ids_on_every_line(written: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(delivery="d1", stream="Account#001"):
        structlog.get_logger("crm").info("recorded")
        logging.getLogger("other").info("said %s", "this")
    first, second = _lines(written)
    assert (first["event"], first["delivery"], first["stream"]) == ("recorded", "d1", "Account#001")
    assert (second["event"], second["delivery"]) == ("said this", "d1")


def test_leaves_the_values_of_variables_out_of_tracebacks(written: io.StringIO) -> None:
    password = "-".join(["not", "for", "the", "log"])
    try:
        int(password[:3])
    except ValueError:
        structlog.get_logger("crm").exception("failed")
    assert "test_logs.py" in written.getvalue()
    assert password not in written.getvalue()


def test_reads_auto_as_json_where_nobody_looks(written: io.StringIO) -> None:
    assert not written.isatty()
    assert resolve_format("auto") == "json"


def test_refuses_an_unknown_format() -> None:
    with pytest.raises(ValueError, match="choose one of auto, json, console"):
        resolve_format("xml")
