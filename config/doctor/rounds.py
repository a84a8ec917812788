"""All checks there are, in the order in which they are read."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.conf import settings

from config.doctor import clock, configuration, credentials, disk, lag, salesforce, workers
from config.doctor.diagnosis import Check, Examined
from config.doctor.engines import engine_checks
from config.doctor.running import run
from config.doctor.schema import schema_checks
from config.doctor.setup import Setup


def all_checks(setup: Setup, now: datetime) -> list[Check]:
    """Return every check, group by group."""
    return [
        *_configuration(setup),
        Check("Credentials", "AWS identity", partial(credentials.examine_aws, setup), 15.0),
        Check("Credentials", "OpenSearch login", partial(credentials.examine_opensearch, setup)),
        Check("Salesforce", "Salesforce", salesforce.examine_salesforce, 30.0),
        *engine_checks(),
        *schema_checks(),
        Check("Lag", "lag", partial(lag.examine_backlog, now)),
        Check("Lag", "runs", partial(lag.examine_runs, now)),
        Check("Workers", "sweeps", partial(workers.examine_sweep, setup, now)),
        Check("Workers", "workers", partial(workers.examine_lanes, setup)),
        Check("Clock", "clock of the database", partial(clock.examine_database_clock, setup)),
        Check("Clock", "clock of AWS", partial(clock.examine_aws_clock, setup)),
        Check("Clock", "clock of OpenSearch", partial(clock.examine_opensearch_clock, setup)),
        Check("Disk", "disk", partial(disk.examine_disk, setup.settings.DATA_DIR, keeps_data=setup.is_sqlite)),
    ]


def _configuration(setup: Setup) -> list[Check]:
    looks = {
        "variables": configuration.examine_variables,
        "Django's checks": configuration.examine_django,
        "safety": configuration.examine_safety,
        "settings together": configuration.examine_fit,
        "SQLite": configuration.examine_sqlite,
    }
    return [Check("Configuration", subject, partial(look, setup)) for subject, look in looks.items()]


def examine_service(environment: Mapping[str, str], now: datetime) -> list[Examined]:
    """Run every check at once and return what each said; takes no longer than the slowest one may."""
    return run(all_checks(Setup(environment, settings), now))
