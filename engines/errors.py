"""What can go wrong with an engine, each with what is so and what to do next."""


class EngineError(Exception):
    """An engine cannot serve: ``engine`` is its title, ``problem`` what is so, ``next_step`` what to do about it."""

    def __init__(self, engine: str, problem: str, next_step: str) -> None:
        super().__init__(engine, problem, next_step)
        self.engine = engine
        self.problem = problem
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.engine}: {self.problem} Next: {self.next_step}"


class EngineMissingError(EngineError):
    """The machine lacks what the engine needs, or could not fetch it."""


class EngineFailedError(EngineError):
    """The engine is there but did not come up; ``problem`` carries the end of its log."""
