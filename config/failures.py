"""What may go wrong when an engine is asked, and how an operator hears of it."""

from botocore.exceptions import BotoCoreError, ClientError
from celery.exceptions import CeleryError
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from kombu.exceptions import KombuError
from opensearchpy.exceptions import OpenSearchException
from requests import RequestException

from crm_events.domain.errors import CrmError

# An engine that is away or refuses, and a client that cannot even be built from what the settings say.
ENGINE_FAILURES = (
    CrmError,
    DatabaseError,
    BotoCoreError,
    ClientError,
    OpenSearchException,
    RequestException,
    KombuError,
    CeleryError,
    OSError,
    ImproperlyConfigured,
    ImportError,
    ValueError,
)
_LONGEST = 300


def describe(failure: BaseException) -> str:
    """Return one line about a failure: the class's name, and what it says."""
    said = " ".join(str(failure).split())
    name = type(failure).__name__
    text = f"{name}: {said}" if said and said != name else name
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
