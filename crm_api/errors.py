"""What can be wrong with a request, as errors that carry their facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_events.domain.errors import CrmError


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """One thing wrong with one query parameter: what it is, and what is allowed instead."""

    parameter: str
    detail: str
    allowed: Sequence[str] = ()


class ParametersError(CrmError):
    """The query string holds parameters or values that this address does not take."""

    def __init__(self, faults: Sequence[ParameterFault]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)


class KeyRequiredError(CrmError):
    """The request carries no API key."""


class KeyRejectedError(CrmError):
    """The request carries an API key that is unknown, revoked or expired; which of them is not told."""


class ScopeMissingError(CrmError):
    """The API key is good but has none of the scopes that would allow the request."""

    def __init__(self, key_name: str, scopes: Sequence[str]) -> None:
        super().__init__(key_name, tuple(scopes))
        self.key_name = key_name
        self.scopes = tuple(scopes)


class RateExceededError(CrmError):
    """The API key made more requests than the rate allows; ``retry_after`` is in whole seconds."""

    def __init__(self, rate: str, retry_after: int) -> None:
        super().__init__(rate, retry_after)
        self.rate = rate
        self.retry_after = retry_after


class ContentTypeError(CrmError):
    """The body has another content type, character set or encoding than JSON in plain UTF-8."""

    def __init__(self, header: str, value: str, allowed: str) -> None:
        super().__init__(header, value, allowed)
        self.header = header
        self.value = value
        self.allowed = allowed


class BodyTooLargeError(CrmError):
    """The body is larger than the limit (bytes)."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class IncompleteBodyError(CrmError):
    """The connection ended before the whole body had come."""


class UnknownDeliveryError(CrmError):
    """There is no delivery of this id, or its retention time is over."""

    def __init__(self, delivery_id: str) -> None:
        super().__init__(delivery_id)
        self.delivery_id = delivery_id


@dataclass(frozen=True, slots=True)
class BodyFault:
    """One thing wrong with a body, at a JSON pointer: what it is, and what is allowed instead."""

    pointer: str
    detail: str
    allowed: Sequence[str] = ()


class BodyFaultsError(CrmError):
    """The body says something that this address does not take."""

    def __init__(self, faults: Sequence[BodyFault]) -> None:
        super().__init__(*faults)
        self.faults = tuple(faults)


class RunConflictError(CrmError):
    """The run cannot be started or steered as it is asked for; ``detail`` says why, and what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnknownRecordError(CrmError):
    """No event of this record ever came, or the text is no record id."""

    def __init__(self, entity: str, record_id: str) -> None:
        super().__init__(entity, record_id)
        self.entity = entity
        self.record_id = record_id


class UnknownObjectError(CrmError):
    """The text is neither a mapped entity nor the name of a Salesforce object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
