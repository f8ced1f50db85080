"""Errors of models; every message says how to fix the problem."""


class ModelError(Exception):
    """A model cannot do what was asked; the message names the model and the remedy."""


class ModelNotFound(ModelError):
    """There is no checkpoint with the given name or path."""


class ModelUnreadable(ModelError):
    """A checkpoint exists but cannot be used: a file is missing, broken or not supported."""


class ChunkTooLong(ModelError):
    """A text has more tokens than the model reads; the message names the text and both numbers.

    Attributes:
        index: Position of the text among the texts to embed.
        tokens: The text's number of tokens, special tokens included.
        limit: Maximum number of tokens that the model reads, special tokens included.
    """

    def __init__(self, index: int, tokens: int, limit: int, name: str = "") -> None:
        super().__init__(index, tokens, limit, name)
        self.index, self.tokens, self.limit, self.name = index, tokens, limit, name

    def __str__(self) -> str:
        name = self.name or f"text {self.index}"
        return (
            f"{name} has {self.tokens} tokens and the model reads {self.limit}, special tokens "
            "included. Cut it into smaller chunks with the model's own tokenizer."
        )


class EmbeddingNotFinite(ModelError):
    """The model computed a vector that contains NaN or infinity; the message names the text."""
