import pytest
from django.contrib.auth.models import User
from django.test import Client

from crm_events.backends import runs
from crm_events.models import DeadLetter
from crm_events.ports.runs import RunRequest, RunStatus
from tests.builders import a_change, an_id
from tests.integration.console.pages import LETTERS, NOW, RECORDS, a_visitor, an_open_letter, arrive, text_of

PAGES = {
    RECORDS: "crm_events.view_record",
    f"{RECORDS}documents/": "crm_events.view_record",
    "/admin/crm_events/delivery/": "crm_events.view_delivery",
    LETTERS: "crm_events.view_deadletter",
    "/admin/crm_events/notice/": "crm_events.view_notice",
    "/admin/crm_events/run/": "crm_events.view_run",
    "/admin/crm_events/drift/": "crm_events.view_drift",
    "/admin/crm_events/feed/": "crm_events.view_feed",
    "/admin/crm_events/operatoraction/": "crm_events.view_operatoraction",
}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/", *PAGES])
def test_strangers_are_asked_to_log_in(address: str) -> None:
    response = Client().get(address)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={address}"


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_staff_without_the_right_is_refused(address: str) -> None:
    everything_else = [right for right in set(PAGES.values()) if right != PAGES[address]]
    response = a_visitor(*everything_else).get(address)
    assert response.status_code == 403
    assert "ask an administrator" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_the_right_to_view_opens_its_page(address: str) -> None:
    assert a_visitor(PAGES[address]).get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("below", ["body/", "change/"], ids=["the body of a delivery", "a delivery"])
def test_a_delivery_is_refused_without_the_right(below: str) -> None:
    delivery = arrive(a_change())
    address = f"/admin/crm_events/delivery/{delivery}/{below}"
    assert a_visitor("crm_events.view_record").get(address).status_code == 403
    assert a_visitor("crm_events.view_delivery").get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "events/1791271200000/1/", "events/1791271200000/1/raw/"])
def test_a_record_is_refused_without_the_right(page: str) -> None:
    arrive(a_change("CREATE"))
    address = f"{RECORDS}Account/{an_id()}/{page}"
    assert a_visitor("crm_events.view_deadletter").get(address).status_code == 403
    assert a_visitor("crm_events.view_record").get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["retry", "discard"])
def test_each_act_needs_its_own_right(act: str) -> None:
    letter = an_open_letter()
    other = {"retry": "discard", "discard": "retry"}[act]
    visitor = a_visitor("crm_events.view_deadletter", f"crm_events.{other}_deadletter")
    sent = {"letter": letter.pk, "confirmed": "yes", "reason": "Long enough a reason."}
    assert visitor.post(f"{LETTERS}{act}/", sent).status_code == 403
    assert DeadLetter.objects.get().resolved_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["backfill", "check"])
def test_starting_needs_its_own_right(page: str) -> None:
    address = f"/admin/crm_events/run/{page}/"
    onlooker = a_visitor("crm_events.view_run", "crm_events.steer_run")
    assert onlooker.get(address).status_code == 403
    assert onlooker.post(address, {"step": "start", "entity": "Account"}).status_code == 403
    assert a_visitor("crm_events.start_run").get(address).status_code == 403
    assert a_visitor("crm_events.view_run", "crm_events.start_run").get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("steering", ["pause", "resume", "cancel"])
def test_steering_needs_its_own_right(steering: str) -> None:
    run = runs().create(RunRequest("backfill", "Account", {}, "mara"), NOW)
    address = f"/admin/crm_events/run/{run.id}/{steering}/"
    sent = {"confirmed": "yes", "reason": ""}
    assert a_visitor("crm_events.view_run", "crm_events.start_run").post(address, sent).status_code == 403
    assert a_visitor("crm_events.steer_run").post(address, sent).status_code == 403
    assert runs().get(run.id).status is RunStatus.QUEUED
    allowed = a_visitor("crm_events.view_run", "crm_events.steer_run")
    assert allowed.get(address).status_code == 405
    assert allowed.post(address, sent).status_code == 302


@pytest.mark.django_db
def test_an_onlooker_sees_what_is_not_allowed_in_runs() -> None:
    run = runs().create(RunRequest("backfill", "Account", {}, "mara"), NOW)
    onlooker = a_visitor("crm_events.view_run")
    assert text_of(onlooker, f"/admin/crm_events/run/{run.id}/change/").count("You may look, not act.") == 2
    assert text_of(onlooker, "/admin/crm_events/run/").count("You may look, not act.") == 2
    assert 'href="/admin/crm_events/run/backfill/"' not in text_of(onlooker, "/admin/")


@pytest.mark.django_db
def test_acts_that_are_not_allowed_are_shown_as_such() -> None:
    an_open_letter()
    page = text_of(a_visitor("crm_events.view_deadletter"), LETTERS)
    assert page.count("You may look, not act.") == 2


def test_rows_cannot_be_added_or_deleted(admin: Client) -> None:
    letter = an_open_letter()
    for address in (f"{LETTERS}add/", f"{LETTERS}{letter.pk}/delete/", "/admin/crm_events/delivery/add/"):
        assert admin.post(address, {"post": "yes"}).status_code == 404
    assert DeadLetter.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", [f"{LETTERS}discard/", "/admin/crm_events/run/1/pause/", "/admin/crm_events/run/backfill/"]
)
def test_a_form_without_its_token_is_refused(address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("mara"))
    assert client.post(address).status_code == 403


@pytest.mark.django_db
def test_the_menu_holds_what_the_user_may_see() -> None:
    page = text_of(a_visitor("crm_events.view_run"), "/admin/")
    assert 'href="/admin/crm_events/run/"' in page
    assert 'href="/admin/crm_events/delivery/"' not in page


def test_the_menu_counts_open_dead_letters(admin: Client) -> None:
    assert "cm-badge--bad" not in text_of(admin, "/admin/")
    an_open_letter()
    assert 'cm-badge--bad">1<span class="cm-hidden"> open' in text_of(admin, "/admin/")


@pytest.mark.parametrize(
    "address",
    [
        "/admin/auth/user/",
        "/admin/auth/user/add/",
        "/admin/auth/group/",
        "/admin/auth/group/add/",
        "/admin/django_celery_beat/periodictask/",
        "/admin/django_celery_beat/periodictask/add/",
        "/admin/django_celery_beat/intervalschedule/add/",
        "/admin/django_celery_beat/crontabschedule/add/",
        "/admin/crm_api/apikey/",
        "/admin/password_change/",
    ],
)
def test_what_is_administered_stands_in_the_same_frame(admin: Client, address: str) -> None:
    page = text_of(admin, address)
    assert '<main id="cm-main"' in page
    assert "Client Management" in page


@pytest.mark.parametrize("model", ["solarschedule", "clockedschedule"])
def test_schedules_that_nobody_needs_are_hidden(admin: Client, model: str) -> None:
    assert admin.get(f"/admin/django_celery_beat/{model}/").status_code == 404


def test_pages_load_nothing_from_elsewhere(admin: Client) -> None:
    arrive(a_change("CREATE"))
    for address in ("/admin/", RECORDS, LETTERS):
        page = text_of(admin, address)
        assert 'src="http' not in page
        assert 'rel="stylesheet" href="http' not in page
