"""A sparse vector: the few dimensions of a text that are not zero, for example one per word."""

from dataclasses import dataclass

import pyarrow as pa

#: Type of the column `lexical` in a table of points.
SPARSE_TYPE = pa.struct(
    [
        pa.field("indices", pa.list_(pa.uint32()), nullable=False),
        pa.field("values", pa.list_(pa.float32()), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Values at some indices; the value at every other index is zero.

    Attributes:
        indices: Ascending, without repeats, below 2**32.
        values: One per index, finite and above zero.
    """

    indices: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.values):
            raise ValueError(
                f"a sparse vector has {len(self.indices)} indices and {len(self.values)} values; "
                "expected one value per index"
            )

    def __len__(self) -> int:
        return len(self.indices)
