import pytest

from crm_events.forwarder import FixedKey, KeyUnavailableError, SecretKey, Settings, SettingsError

GOOD = {"API_URL": "https://crm.example.com/", "API_KEY": "k1"}


def test_the_key_comes_from_the_environment_or_from_a_secret() -> None:
    settings = Settings.from_environment(GOOD)
    assert (settings.url, settings.key.read(), settings.timeout) == ("https://crm.example.com", "k1", 20.0)
    assert isinstance(settings.key, FixedKey)
    assert isinstance(Settings.from_environment(GOOD | {"API_KEY_SECRET": "crm/key"}).key, SecretKey)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"API_URL": ""}, "API_URL"),
        ({"API_URL": "crm.example.com"}, "API_URL"),
        ({"API_URL": "file:///etc/passwd"}, "API_URL"),
        ({"API_KEY": ""}, "API_KEY_SECRET"),
        ({"API_TIMEOUT": "soon"}, "API_TIMEOUT"),
        ({"API_TIMEOUT": "0"}, "API_TIMEOUT"),
        ({"API_TIMEOUT": "nan"}, "API_TIMEOUT"),
    ],
)
def test_what_is_missing_or_wrong_is_named(wrong: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}.*Next:|Next:.*{name}"):
        Settings.from_environment(GOOD | wrong)


def test_settings_never_show_the_key() -> None:
    assert "k1" not in repr(Settings.from_environment(GOOD))


def test_a_key_that_cannot_be_a_header_is_not_shown_in_the_complaint() -> None:
    with pytest.raises(KeyUnavailableError) as raised:
        FixedKey("sec\nret").read()
    assert "sec" not in str(raised.value)
