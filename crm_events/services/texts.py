"""Texts that any of the databases keeps."""


def storable(text: str) -> str:
    """Return the text with marks in place of what PostgreSQL or UTF-8 cannot hold: NUL and halves of characters."""
    marked = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= char <= "\udfff" else char for char in marked)
