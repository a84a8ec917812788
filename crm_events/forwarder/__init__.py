"""Carries events to the service's API; runs alone, as a Lambda function, on the standard library."""

from crm_events.forwarder.connection import close_connections
from crm_events.forwarder.forwarding import Outcome, forward
from crm_events.forwarder.keys import FixedKey, Key, KeyUnavailableError, SecretKey
from crm_events.forwarder.settings import Settings, SettingsError

__all__ = [
    "FixedKey",
    "Key",
    "KeyUnavailableError",
    "Outcome",
    "SecretKey",
    "Settings",
    "SettingsError",
    "close_connections",
    "forward",
]
