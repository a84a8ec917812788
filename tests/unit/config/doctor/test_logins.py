from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from config.doctor.clock import examine_aws_clock, examine_opensearch_clock
from config.doctor.credentials import examine_aws, examine_opensearch
from config.doctor.diagnosis import Diagnosis, Light
from tests.answering import Answer, answering
from tests.unit.config.doctor.setups import a_setup

LONG_AGO = format_datetime(datetime(2026, 1, 1, tzinfo=UTC), usegmt=True)
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:role/crm</Arn><UserId>A</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
EXPIRED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The token has expired</Message></Error></ErrorResponse>"""
NODE = b'{"version": {"distribution": "opensearch", "number": "2.19.1"}}'


def _ask_sts(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Diagnosis:
    with answering(answer) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        (line,) = examine_aws(a_setup(event_store="dynamodb"))
    return line


def test_asks_aws_nothing_where_nothing_of_it_is_used() -> None:
    assert examine_aws(a_setup()) == []
    assert examine_aws_clock(a_setup()) == []


def test_names_whom_aws_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _ask_sts(Answer(body=IDENTITY), monkeypatch)
    assert (line.light, "role/crm, by env, region us-east-1" in line.fact) == (Light.GREEN, True)


def test_says_when_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _ask_sts(Answer(status=403, body=EXPIRED), monkeypatch)
    assert (line.light, "ExpiredToken" in line.fact) == (Light.RED, True)


def test_minds_less_when_aws_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answer()) as gone:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", gone)
    assert [line.light for line in examine_aws(a_setup(event_store="dynamodb"))] == [Light.AMBER]


def test_says_when_there_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (line,) = examine_aws(a_setup(event_store="dynamodb"))
    assert (line.light, "no credentials" in line.fact) == (Light.RED, True)


def test_says_that_boto3_does_not_read_the_region_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    (line,) = examine_aws(a_setup({"AWS_REGION": "eu-west-1"}, event_store="dynamodb"))
    assert (line.light, "AWS_REGION is set, which boto3 does not read" in line.next_step) == (Light.RED, True)


def test_asks_no_identity_where_engines_of_ones_own_stand_in_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Answer(status=403, body=EXPIRED)
    with answering(refusing) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        setup = a_setup({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"}, event_store="dynamodb")
        assert [line.light for line in examine_aws(setup)] == [Light.GREEN]
    assert refusing.requests == []


@pytest.mark.parametrize(
    ("status", "light", "word"),
    [
        (200, Light.GREEN, "takes it"),
        (401, Light.RED, "refuses it"),
        (403, Light.RED, "refuses it"),
        (503, Light.RED, "answers HTTP 503"),
    ],
)
def test_judges_whether_a_node_takes_the_login(status: int, light: Light, word: str) -> None:
    answer = Answer(status=status, body=NODE)
    with answering(answer) as address:
        (line,) = examine_opensearch(a_setup(read_model="opensearch", opensearch={"hosts": [address]}))
    assert (line.light, word in line.fact) == (light, True)
    assert answer.requests[0][1]["Authorization"] == "Basic Y3JtOnNlYXJjaC1wYXNzd29yZA=="


def test_signs_for_a_node_that_asks_for_it() -> None:
    answer = Answer(body=NODE)
    with answering(answer) as address:
        setup = a_setup(read_model="opensearch", opensearch={"hosts": [address], "auth": "aws"})
        assert [line.light for line in examine_opensearch(setup)] == [Light.GREEN]
    assert "us-east-1/es/aws4_request" in answer.requests[0][1]["Authorization"]


def test_says_when_a_node_does_not_answer() -> None:
    with answering(Answer()) as gone:
        pass
    (line,) = examine_opensearch(a_setup(read_model="opensearch", opensearch={"hosts": [gone]}))
    assert (line.light, "does not answer" in line.fact) == (Light.RED, True)


def test_reads_clocks_from_the_header_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Answer(status=400, headers={"Date": LONG_AGO})) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", address)
        setup = a_setup(event_store="dynamodb", read_model="opensearch", opensearch={"hosts": [address]})
        lines = [*examine_aws_clock(setup), *examine_opensearch_clock(setup)]
    assert [line.light for line in lines] == [Light.RED, Light.RED]


def test_reads_a_nodes_clock_from_its_statistics_where_no_header_tells() -> None:
    with answering(Answer(body=b'{"nodes": {"a": {"timestamp": 1767225600000}}}')) as address:
        setup = a_setup(read_model="opensearch", opensearch={"hosts": [address]})
        assert [line.light for line in examine_opensearch_clock(setup)] == [Light.RED]
