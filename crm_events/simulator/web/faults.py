"""What the switches of the API do to a call."""

import time
from collections.abc import Iterable, Iterator

from crm_events.simulator.switches import Switchboard
from crm_events.simulator.web.http import Answer, ApiError, HangUpError, Request
from crm_events.simulator.web.oauth import Sessions, expired_session

_SHOWN = 200


class Faults:
    """Let calls meet what is switched on."""

    def __init__(self, switches: Switchboard, sessions: Sessions) -> None:
        self._switches = switches
        self._sessions = sessions

    def before(self, request: Request, token: str) -> None:
        """Return if the call may go on.

        :raises ApiError: it is refused.
        """
        if self._fires("slow", request):
            time.sleep(self._switches["slow"].value)
        if self._fires("expire", request):
            self._sessions.end(token)
            raise expired_session()
        if self._fires("limit", request):
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if self._fires("unavailable", request):
            raise ApiError(503, "SERVER_UNAVAILABLE", "We are down for maintenance. Sorry for the inconvenience.")

    def after(self, request: Request, answer: Answer) -> Answer:
        """Return the answer, or the part of it that comes before the connection is cut.

        :raises HangUpError: not even a part of it.
        """
        if not self._fires("reset", request):
            return answer
        left = int(self._switches["reset"].value)
        if left <= 0:
            raise HangUpError
        pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
        if isinstance(answer.body, bytes):
            answer.headers["Content-Length"] = str(len(answer.body))
        answer.body = _cut(pieces, left)
        return answer

    def _fires(self, name: str, request: Request) -> bool:
        fires = self._switches.fires(name, request.url)
        if fires:
            self._switches.note(name, detail=f"{request.method} {request.url[:_SHOWN]}")
        return fires


def _cut(pieces: Iterable[bytes], left: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            raise HangUpError
