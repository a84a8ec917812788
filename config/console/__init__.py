"""The operator's console: its frame, its start page, and the pages that show both sides of a record."""
