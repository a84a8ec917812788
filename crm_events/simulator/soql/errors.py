"""What is wrong with a query, in the words of Salesforce."""

from crm_events.domain.errors import CrmError

_SHOWN_BEFORE, _SHOWN_AFTER = 40, 20


class SoqlError(CrmError):
    """A query that Salesforce refuses; ``code`` is its errorCode, ``message`` its text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def at(soql: str, position: int, reason: str) -> str:
    """Return a reason with the place it is about, as Salesforce shows it: the text, a caret, row and column."""
    start = max(position - _SHOWN_BEFORE, 0)
    shown = soql[start : position + _SHOWN_AFTER].replace("\n", " ")
    return f"\n{shown}\n{' ' * (position - start)}^\nERROR at Row:1:Column:{position + 1}\n{reason}"


def malformed(soql: str, position: int, token: str) -> SoqlError:
    """Return the error for a token that does not belong where it stands."""
    return SoqlError("MALFORMED_QUERY", at(soql, position, f"unexpected token: {token or '<EOF>'}"))
