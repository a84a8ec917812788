"""Errors of the mappings; each carries its facts as fields."""


class TransformError(ValueError):
    """A source value cannot become what the field wants; ``reason`` says so in plain, storable words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MappingDeclarationError(Exception):
    """A mapping contradicts its DTO or another mapping; the service does not start with it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}."
