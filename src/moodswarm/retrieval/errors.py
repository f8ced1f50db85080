"""The errors that a retrieval can raise, each with its remedy."""

FEATURE_RUN = "run `kedro run --pipeline=feature`"


class RetrievalError(Exception):
    """Nothing can be retrieved; the message says why, and what to do about it."""


class NothingEmbedded(RetrievalError):
    """There are no chunks of any kind to search."""

    def __init__(self) -> None:
        super().__init__(f"nothing is embedded yet; {FEATURE_RUN} first")


class ModelMismatch(RetrievalError, ValueError):
    """A collection's vectors come from another model than the query's, so scores mean nothing."""


class RetrievalFailed(RetrievalError):
    """No search returned a result; the message names the reason for each.

    Attributes:
        reasons: The errors, in the order of the searches.
    """

    def __init__(self, reasons: tuple[Exception, ...]) -> None:
        super().__init__(reasons)
        self.reasons = reasons

    def __str__(self) -> str:
        return "nothing could be searched: " + "; ".join(map(str, self.reasons))


class StageTooSlow(RetrievalError):
    """A stage ran longer than its `timeout_seconds`."""

    def __init__(self, stage: str, seconds: float) -> None:
        super().__init__(stage, seconds)
        self._stage, self._seconds = stage, seconds

    def __str__(self) -> str:
        return (
            f"it took longer than {self._seconds:g} s; raise `retrieval.{self._stage}."
            "timeout_seconds` if it needs more"
        )


class StageMissing(RetrievalError):
    """A stage lacks something that it needs, such as vectors that a later version adds."""
