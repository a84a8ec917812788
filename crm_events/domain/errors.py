"""Errors of the core; each carries its facts as fields."""


class CrmError(Exception):
    """Base of every error this service raises on purpose."""


class EngineUnavailableError(CrmError):
    """Base of the errors that say: what we work with does not answer for now, and the same call may succeed later."""


class InvalidIdError(CrmError):
    """A text is not the id of a Salesforce record."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__(value, reason)
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        return f"“{self.value[:80]}” is no Salesforce record id: {self.reason}."
