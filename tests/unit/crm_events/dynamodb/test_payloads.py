import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.adapters.dynamodb import payloads


@given(st.text())
def test_gives_back_every_text_to_the_byte(text: str) -> None:
    assert payloads.unpack(payloads.pack(text)) == text


@given(st.binary())
def test_gives_back_all_bytes(data: bytes) -> None:
    assert payloads.unpack_bytes(payloads.pack_bytes(data)) == data


def test_makes_what_repeats_itself_small() -> None:
    assert len(payloads.pack('{"Name": "Lindqvist Marine AB"}' * 100)) < 200


def test_adds_no_more_than_a_byte_to_what_cannot_be_compressed() -> None:
    assert len(payloads.pack("{}")) == 3


def test_refuses_a_codec_that_it_does_not_know() -> None:
    with pytest.raises(payloads.UnknownCodecError):
        payloads.unpack(b"\x07{}")


def test_names_different_bytes_differently() -> None:
    assert payloads.digest(b"a") != payloads.digest(b"b")
