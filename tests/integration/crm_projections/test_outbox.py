import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_projections.adapters.sql.models import OutboxMessage
from crm_projections.adapters.sql.outbox import OutboxBroadcaster
from crm_projections.ports.broadcaster import BroadcasterUnavailableError, Message
from tests.contracts.broadcaster import STREAM, a_message
from tests.contracts.generations import in_threads

CHANGELIST = reverse("admin:crm_projections_sql_outboxmessage_changelist")
TABLE = OutboxMessage._meta.db_table
OTHER = "Account#001Qy00000000002"


@pytest.fixture
def outbox(sql_alias: str) -> OutboxBroadcaster:
    return OutboxBroadcaster(using=sql_alias)


@pytest.mark.django_db
class TestReading:
    def test_the_newest_come_first_in_pages(self, outbox: OutboxBroadcaster) -> None:
        for version in range(5):
            outbox.publish([a_message(version)])

        first = outbox.recent(2)
        second = outbox.recent(2, before=first[-1].number)

        assert [message.detail["version"] for message in first + second] == [4, 3, 2, 1]

    def test_a_stream_has_its_own_messages(self, outbox: OutboxBroadcaster) -> None:
        outbox.publish([a_message(1), a_message(1, OTHER), a_message(2)])

        found = outbox.for_stream(STREAM, 10)

        assert [message.message_id for message in found] == [f"{STREAM}/2", f"{STREAM}/1"]
        assert [message.message_id for message in outbox.for_stream(STREAM, 10, before=found[0].number)] == [
            f"{STREAM}/1"
        ]

    def test_a_message_stays_as_it_came_first(self, outbox: OutboxBroadcaster) -> None:
        outbox.publish([a_message(1, note="first")])
        outbox.publish([a_message(1, note="second")])

        assert [message.detail["note"] for message in outbox.recent(5)] == ["first"]

    def test_a_message_may_name_no_stream(self, outbox: OutboxBroadcaster) -> None:
        outbox.publish([Message("x", "client", {})])

        assert outbox.recent(1)[0].stream == ""

    @pytest.mark.parametrize("message", [a_message(stream="a\x00b"), a_message(stream="x" * 300)], ids=["nul", "long"])
    def test_what_has_no_room_is_refused_alone(self, outbox: OutboxBroadcaster, message: Message) -> None:
        results = outbox.publish([message, a_message()])

        assert [bool(result.error) for result in results] == [True, False]
        assert [logged.message_id for logged in outbox.recent(5)] == [f"{STREAM}/1"]


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_the_same_do_not_meet_in_a_deadlock(outbox: OutboxBroadcaster) -> None:
    rounds = [[a_message(version) for version in range(start, start + 100)] for start in range(0, 2000, 100)]

    def publish(thread: int) -> None:
        for messages in rounds:
            outbox.publish(messages if thread % 2 else messages[::-1])

    in_threads(4, publish)

    assert len(outbox.recent(3000)) == 2000


def test_a_database_that_does_not_answer_is_unavailable(gone_alias: str) -> None:
    outbox = OutboxBroadcaster(using=gone_alias)

    for ask in (outbox.ping, lambda: outbox.recent(1), lambda: outbox.publish([a_message()])):
        with pytest.raises(BroadcasterUnavailableError):
            ask()


@pytest.mark.django_db
class TestConsole:
    @pytest.fixture
    def console(self) -> Client:
        client = Client()
        client.force_login(User.objects.create_superuser("operator"))
        return client

    def test_lists_messages_without_counting_them(self, console: Client) -> None:
        OutboxBroadcaster().publish([a_message(1), a_message(1, OTHER)])

        with CaptureQueriesContext(connections["default"]) as queries:
            page = console.get(CHANGELIST, {"q": STREAM}).content.decode()

        assert f"{STREAM}/1" in page
        assert f"{OTHER}/1" not in page
        assert not any("COUNT(" in query["sql"] and TABLE in query["sql"] for query in queries)

    def test_shows_a_message_and_lets_nobody_change_it(self, console: Client) -> None:
        OutboxBroadcaster().publish([a_message(1, note="<b>Łódź</b>")])
        key = OutboxMessage.objects.get().pk
        address = reverse("admin:crm_projections_sql_outboxmessage_change", args=[key])

        page = console.get(address).content.decode()

        assert "&lt;b&gt;Łódź" in page
        assert console.post(address, {"entity": "other"}).status_code == 403
        console.post(CHANGELIST, {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"})
        assert OutboxMessage.objects.get().entity == "client"
