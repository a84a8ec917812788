from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.errors import ParametersError
from crm_api.parameters import Parameters, parse_time


def _faults(parameters: Parameters) -> list[str]:
    with pytest.raises(ParametersError) as caught:
        parameters.finish(["known"])
    return [fault.parameter for fault in caught.value.faults]


def test_what_nobody_took_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ParametersError) as caught:
        Parameters("unknown=1").finish(["known"])
    [fault] = caught.value.faults
    assert (fault.parameter, fault.allowed) == ("unknown", ("known",))


def test_what_was_taken_is_no_fault() -> None:
    parameters = Parameters("a=1&b=true&c=")
    assert (parameters.number("a", 5, 0, 9), parameters.flag("b"), parameters.take("c")) == (1, True, "")
    parameters.finish([])


def test_absent_parameters_have_their_defaults() -> None:
    parameters = Parameters("")
    assert (parameters.number("a", 5, 0, 9), parameters.flag("b"), parameters.take("c")) == (5, False, None)


def test_all_faults_are_told_at_once() -> None:
    parameters = Parameters("a=x&b=yes&c=1&c=2&d=%00&e=1")
    parameters.number("a", 5, 0, 9)
    parameters.flag("b")
    assert _faults(parameters) == ["c", "d", "a", "b", "c", "e"]


def test_what_was_given_keeps_its_order() -> None:
    assert list(Parameters("b=1&a=2").given) == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-06T07:20:40.123Z",
        "2026-10-06t07:20:40.123z",
        "2026-10-06T07:20:40.123000+00:00",
        "2026-10-06T09:20:40.123+02:00",
        "2026-10-06T09:20:40.123 02:00",
        "2026-10-06T09:20:40.123+0200",
        "2026-10-06T09:20:40.123+02",
        "2026-10-06T04:20:40,123-03:00",
    ],
)
def test_a_moment_is_read_in_every_offset(text: str) -> None:
    assert parse_time(text) == datetime(2026, 10, 6, 7, 20, 40, 123_000, tzinfo=UTC)


def test_seconds_may_be_left_out() -> None:
    assert parse_time("2026-10-06T07:20Z") == datetime(2026, 10, 6, 7, 20, tzinfo=UTC)


@given(st.text(alphabet="0123456789-:.,TtZz+ ٣", max_size=40) | st.text(max_size=40))
def test_a_text_is_a_moment_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_time(text).tzinfo is UTC


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_any_query_string_is_read_or_refused(query_string: str) -> None:
    with suppress(ParametersError):
        Parameters(query_string).finish([])
