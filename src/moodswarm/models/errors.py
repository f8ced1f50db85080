"""What can go wrong with a model, each error with its remedy."""


class ModelError(Exception):
    """A model cannot do what was asked; the message names the model and the remedy."""


class ModelNotFound(ModelError):
    """No checkpoint is where the name or path points to."""


class ModelUnreadable(ModelError):
    """A checkpoint is there and cannot be used: a file is missing, broken or not supported."""


class ChunkTooLong(ModelError):
    """A text has more tokens than the model reads; names the text, its tokens and the limit.

    Attributes:
        index: Position of the text among those given.
        tokens: Its tokens, special tokens included.
        limit: Most tokens that the model reads, special tokens included.
    """

    def __init__(self, index: int, tokens: int, limit: int, name: str = "") -> None:
        super().__init__(index, tokens, limit, name)
        self.index, self.tokens, self.limit, self.name = index, tokens, limit, name

    def __str__(self) -> str:
        name = self.name or f"text {self.index}"
        return (
            f"{name} has {self.tokens} tokens and the model reads {self.limit}, special tokens "
            "included; cut it into smaller chunks with the model's own tokenizer"
        )


class EmbeddingNotFinite(ModelError):
    """The model computed a vector with NaN or infinity in it; names the text."""
