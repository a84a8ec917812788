import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crm_events.folding import StreamReader, fold_stream
from crm_projections.services import messages
from crm_projections.services.documents import document_of
from tests.builders import TIMESTAMP, a_new_event, a_stream
from tests.world import NOW, World

SCHEMA = json.loads((Path(messages.__file__).parent.parent / "message_schema.json").read_text())


def problems(message: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(message)]


@pytest.fixture
def world() -> World:
    world = World()
    for second, kind in enumerate(["CREATE", "UPDATE", "DELETE", "UNDELETE"]):
        world.happen(a_new_event(kind, timestamp=TIMESTAMP + second * 1000))
    return world


def test_every_kind_of_message_fits_the_published_schema(world: World) -> None:
    assert [m["change"] for m in world.messages] == ["created", "updated", "deleted", "restored"]
    assert [problem for message in world.messages for problem in problems(message)] == []


@pytest.mark.parametrize("name", SCHEMA["required"])
def test_the_published_schema_misses_a_field_that_is_not_there(world: World, name: str) -> None:
    message = {key: value for key, value in world.messages[0].items() if key != name}
    assert problems(message)


def test_a_replay_message_names_its_run_and_has_an_id_of_its_own(world: World) -> None:
    head = world.head()
    folded = fold_stream(head, *StreamReader(world.store, use_saved_states=False).read([head])[head.stream])
    mapping = world.ports.mapping_of("Account")
    assert mapping is not None
    document = document_of(mapping, folded, NOW)
    assert document is not None
    message = dict(messages.replay_message(mapping, folded, document, 7).detail)
    assert (message["message_id"], message["replay"]) == (f"{a_stream()}/4/replay-7", {"run": 7})
    assert problems(message) == []
