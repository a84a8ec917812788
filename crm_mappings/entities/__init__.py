"""One module per entity type: its DTO, and its mapping under the name ``MAPPING``; found by being here."""
