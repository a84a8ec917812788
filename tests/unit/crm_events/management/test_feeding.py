import io
import json
from collections.abc import Iterator, Sequence

import pytest

from crm_events.domain.outcomes import Outcome
from crm_events.management.event_lines import FileLine, read_lines
from crm_events.management.feeding import Feeder
from crm_events.management.posting import RefusedError
from crm_events.management.senders import Sender


class MemorySender(Sender):
    """Takes bodies as a service would: refuses what is marked so, and finds unreadable what is marked so."""

    def __init__(self, refuse_with: int = 400, most: int = 100) -> None:
        self.bodies: list[list[dict[str, str]]] = []
        self.asked: list[str] = []
        self._refuse_with = refuse_with
        self._most = most

    def send(self, body: bytes) -> str:
        items = json.loads(body)
        if len(items) > self._most or any(item.get("is") == "refused" for item in items):
            raise RefusedError(self._refuse_with, "It is refused.")
        self.bodies.append(items)
        return str(len(self.bodies) - 1)

    def outcomes(self, delivery_id: str) -> Sequence[Outcome]:
        self.asked.append(delivery_id)
        return [_outcome(index, item) for index, item in enumerate(self.bodies[int(delivery_id)])]


def _outcome(index: int, item: dict[str, str]) -> Outcome:
    if item.get("is") == "unreadable":
        return Outcome(index, "unreadable", detail="Nobody can read it.")
    return Outcome(index, "recorded")


def fed(sender: MemorySender, *lines: str, count: int = 100) -> tuple[Feeder, list[str]]:
    said: list[str] = []
    feeder = Feeder(sender, said.append, lambda _: None)
    feeder.feed(read_lines(io.BytesIO("\n".join(lines).encode())), count)
    return feeder, said


def test_counts_what_became_of_every_event() -> None:
    feeder, _ = fed(MemorySender(), "{}", '[{}, {"is": "unreadable"}]')
    assert feeder.outcomes == {"recorded": 2, "unreadable": 1}


def test_sends_no_more_at_a_time_than_asked() -> None:
    sender = MemorySender()
    fed(sender, *["{}"] * 5, count=2)
    assert [len(body) for body in sender.bodies] == [2, 2, 1]


def test_names_the_line_of_an_event_that_nobody_can_read() -> None:
    feeder, said = fed(MemorySender(), "{}", "", '[{}, {"is": "unreadable"}]')
    assert said == ["Line 3: kept as a dead letter. Nobody can read it."]
    assert feeder.bad_lines == 0


def test_names_a_bad_line_and_sends_the_others() -> None:
    sender = MemorySender()
    feeder, said = fed(sender, "{}", "no", "{}")
    assert said == ["Line 2: not sent. It is not JSON: Expecting value at character 1."]
    assert (feeder.bad_lines, feeder.outcomes["recorded"]) == (1, 2)


@pytest.mark.parametrize("status", [400, 413])
def test_finds_the_event_for_which_a_whole_batch_was_refused(status: int) -> None:
    feeder, said = fed(MemorySender(status), "{}", "{}", '{"is": "refused"}', "{}", "{}")
    assert said == ["Line 3: not sent. It is refused."]
    assert (feeder.bad_lines, feeder.outcomes["recorded"]) == (1, 4)


def test_sends_less_at_a_time_to_a_service_that_takes_less() -> None:
    feeder, _ = fed(MemorySender(413, most=2), *["{}"] * 5)
    assert (feeder.bad_lines, feeder.outcomes["recorded"]) == (0, 5)


def test_counts_a_line_with_several_bad_events_once() -> None:
    feeder, _ = fed(MemorySender(), '[{"is": "refused"}, {}, {"is": "refused"}]')
    assert feeder.bad_lines == 1


def test_ends_when_the_service_refuses_more_than_a_body() -> None:
    with pytest.raises(RefusedError):
        fed(MemorySender(403), '{"is": "refused"}')


def test_keeps_few_deliveries_on_their_way() -> None:
    sender = MemorySender()
    on_their_way: list[int] = []

    def watched() -> Iterator[FileLine]:
        for line in read_lines(io.BytesIO(b"{}\n" * 60)):
            on_their_way.append(len(sender.bodies) - len(sender.asked))
            yield line

    Feeder(sender, lambda _: None, lambda _: None).feed(watched(), 1)
    assert max(on_their_way) == 20
