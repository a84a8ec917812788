from urllib.parse import parse_qsl

from config.console.walks import steps


def _query(address: str | None) -> dict[str, str]:
    assert address is not None
    return dict(parse_qsl(address.removeprefix("?")))


def test_the_first_page_leads_only_onwards() -> None:
    found = steps({"entity": "Account"}, None, "c2")
    assert found.back is None
    assert _query(found.next) == {"entity": "Account", "cursor": "c2"}


def test_back_leads_through_the_same_pages() -> None:
    query, cursors = {"entity": "Account"}, ["c,2", "c 3", "c#4"]
    for cursor in cursors:
        query = _query(steps(query, query.get("cursor"), cursor).next)
    walked = []
    while "cursor" in query:
        walked.append(query["cursor"])
        query = _query(steps(query, query["cursor"], None).back)
    assert walked == cursors[::-1]
    assert query == {"entity": "Account"}


def test_the_last_page_leads_only_back() -> None:
    found = steps({"cursor": "c2"}, "c2", None)
    assert (found.back, found.next) == ("?", None)


def test_the_trail_does_not_grow_for_ever() -> None:
    query: dict[str, str] = {}
    for number in range(200):
        query = _query(steps(query, query.get("cursor"), f"cursor-{number}").next)
    assert len(query["trail"].split(",")) == 30
