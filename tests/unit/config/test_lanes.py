import pytest

from config.celery import app


@pytest.mark.parametrize(
    ("task", "lane"),
    [
        ("crm_events.tasks.process_deliveries", "ingest"),
        ("crm_events.tasks.sweep_deliveries", "ingest"),
        ("crm_events.tasks.remove_finished_deliveries", "bulk"),
        ("crm_projections.tasks.project", "project"),
        ("crm_projections.tasks.sweep_pending", "project"),
        ("crm_projections.tasks.sweep_runs", "bulk"),
        ("crm_events.tasks.sweep_runs", "bulk"),
        ("crm_events.tasks.repair_gaps", "project"),
    ],
)
def test_sends_each_task_to_its_lane(task: str, lane: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == lane


def test_knows_every_task_that_beat_starts() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
