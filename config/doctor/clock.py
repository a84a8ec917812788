"""Whether other clocks agree with ours: versions do not care, but signatures, order keys and people do."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

import boto3
import requests
from django.db import connection

from config.doctor.diagnosis import Diagnosis, amber, green, red
from config.doctor.nodes import ask_node
from config.doctor.setup import Setup

# AWS refuses a signature whose time is more than five minutes away from its own:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
_REFUSED_AFTER = timedelta(minutes=5)
_NOTICEABLE = timedelta(seconds=5)
_SECONDS = 5
_STEP = "let this machine follow a time server (chrony, systemd-timesyncd)."
# Those of the AWS services used whose endpoint is asked; one is enough, they share their clock.
_ASKED: tuple[Literal["dynamodb"], Literal["events"], Literal["sqs"]] = ("dynamodb", "events", "sqs")


def judge_clock(subject: str, theirs: datetime, before: datetime, after: datetime) -> Diagnosis:
    """Judge another clock, read at some moment between two readings of ours."""
    if before - _NOTICEABLE <= theirs <= after + _NOTICEABLE:
        return green(subject, "agrees with ours")
    apart = before - theirs if theirs < before else theirs - after
    text = f"{apart.total_seconds():,.0f} seconds {'behind' if theirs < before else 'ahead of'} ours"
    if apart > _REFUSED_AFTER:
        return red(subject, f"{text}; AWS refuses requests signed so far off", _STEP)
    return amber(subject, text, _STEP)


def examine_database_clock(setup: Setup) -> list[Diagnosis]:
    """Compare with the database server's clock; a file has none."""
    if setup.is_sqlite:
        return []
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    return [judge_clock("clock of the database", theirs, before, datetime.now(UTC))]


def examine_aws_clock(setup: Setup) -> list[Diagnosis]:
    """Compare with the clock of the first AWS service used, as the header of any answer shows it."""
    service = next((service for service in _ASKED if service in setup.aws_services), None)
    if service is None:
        return []
    address = boto3.session.Session().client(service).meta.endpoint_url
    before = datetime.now(UTC)
    return _judge_answer(f"clock of {service}", requests.get(address, timeout=_SECONDS), before)


def examine_opensearch_clock(setup: Setup) -> list[Diagnosis]:
    """Compare with the clock of the first node."""
    for url in setup.opensearch.get("hosts", ())[:1]:
        before = datetime.now(UTC)
        answer = ask_node(setup, url, "/_nodes/_local/stats/process")
        if "Date" in answer.headers:
            return _judge_answer("clock of OpenSearch", answer, before)
        stamps = [node["timestamp"] for node in answer.json().get("nodes", {}).values()]
        theirs = [datetime.fromtimestamp(stamp / 1000, UTC) for stamp in stamps]
        return [judge_clock("clock of OpenSearch", moment, before, datetime.now(UTC)) for moment in theirs]
    return []


def _judge_answer(subject: str, answer: requests.Response, before: datetime) -> list[Diagnosis]:
    after = datetime.now(UTC)
    if "Date" not in answer.headers:
        return []
    return [judge_clock(subject, parsedate_to_datetime(answer.headers["Date"]), before, after)]
