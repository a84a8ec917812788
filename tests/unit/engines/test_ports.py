import socket

from engines.ports import ReservedPorts


def test_are_given_to_nobody_else() -> None:
    first, second = ReservedPorts(2), ReservedPorts(2)
    assert len({*first.ports, *second.ports}) == 4
    first.release()
    second.release()


def test_may_be_taken_by_the_server_they_are_held_for() -> None:
    reserved = ReservedPorts(1)
    socket.create_server(("127.0.0.1", reserved.ports[0])).close()
    reserved.release()


def test_are_those_preferred_unless_one_is_taken() -> None:
    free = ReservedPorts(2)
    wanted = free.ports
    free.release()
    again = ReservedPorts.preferring(wanted)
    assert again.ports == wanted
    again.release()
    with socket.create_server(("127.0.0.1", wanted[1])):
        others = ReservedPorts.preferring(wanted)
        assert wanted[1] not in others.ports
        others.release()
