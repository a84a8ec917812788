from crm_projections.adapters.memory import MemoryBroadcaster
from tests.contracts.broadcaster import a_message


def test_remembers_repeats_for_those_who_count_them() -> None:
    broadcaster = MemoryBroadcaster()
    broadcaster.publish([a_message(1), a_message(2)])
    broadcaster.publish([a_message(1)])

    assert [message.detail["version"] for message in broadcaster.sent] == [1, 2, 1]
    assert [message.detail["version"] for message in broadcaster.messages] == [1, 2]


def test_forgets_when_told() -> None:
    broadcaster = MemoryBroadcaster()
    broadcaster.publish([a_message()])
    broadcaster.clear()

    assert broadcaster.sent == []
