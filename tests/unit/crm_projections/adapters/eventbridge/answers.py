"""EventBridge's answers as a test wants them, put in where botocore would send the request."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HTTPHeaders

from crm_projections.adapters.eventbridge import EventBridgeBroadcaster

Entries = list[dict[str, Any]]
Answer = Callable[[Entries], tuple[int, dict[str, Any]]]


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        return [self._body]


@dataclass
class Answers:
    """What came of each PutEvents; ``then`` are the answers to come, the last one for good."""

    then: list[Answer]
    requests: list[Entries] = field(default_factory=list)
    buses_asked: int = 0

    def put(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body: Any = request.body
        entries = json.loads(body)["Entries"]
        self.requests.append(entries)
        answer = self.then.pop(0) if len(self.then) > 1 else self.then[0]
        return _response(request, *answer(entries))

    def describe(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.buses_asked += 1
        return _response(request, 200, {"Name": "crm"})

    def sent(self) -> list[list[str]]:
        """Return the message ids of each request."""
        return [[entry["Resources"][0] for entry in entries] for entries in self.requests]


def _response(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(json.dumps(body).encode()))


def answering(broadcaster: EventBridgeBroadcaster, *answers: Answer) -> Answers:
    made = Answers(list(answers))
    events: Any = broadcaster._process_client.get().meta.events  # its stubs know no hook that returns something
    events.register("before-send.events.PutEvents", made.put)
    events.register("before-send.events.DescribeEventBus", made.describe)
    return made


def taken(entries: Entries) -> tuple[int, dict[str, Any]]:
    return failing({})(entries)


def failing(codes: dict[int, str]) -> Answer:
    """Answer with an error code for the entries at these places, and take the others."""

    def answer(entries: Entries) -> tuple[int, dict[str, Any]]:
        results = [
            {"ErrorCode": codes[place], "ErrorMessage": "so it is"} if place in codes else {"EventId": f"e{place}"}
            for place in range(len(entries))
        ]
        return 200, {"FailedEntryCount": len(codes), "Entries": results}

    return answer


def failing_for(ids: Sequence[str], code: str) -> Answer:
    """Answer with an error code for these messages wherever they stand."""

    def answer(entries: Entries) -> tuple[int, dict[str, Any]]:
        return failing({place: code for place, entry in enumerate(entries) if entry["Resources"][0] in ids})(entries)

    return answer


def refused(code: str, status: int = 400) -> Answer:
    """Answer the whole call with an error."""
    return lambda _: (status, {"__type": code, "message": "so it is"})


def larger_than(limit: int) -> Answer:
    """Refuse a request whose details have more bytes together, as EventBridge does."""

    def answer(entries: Entries) -> tuple[int, dict[str, Any]]:
        if sum(len(entry["Detail"].encode()) for entry in entries) > limit:
            return refused("ValidationException")(entries)
        return taken(entries)

    return answer
