"""Reads sparse vectors from Arrow tables and checks them, since the engines accept any numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from moodswarm.records.sparse import SparseVector
from moodswarm.stores.errors import StoreError

#: Name of the column in a table of points, and of the sparse vector in the engines.
LEXICAL = "lexical"

#: Indices and values of a point's sparse vector; None if the point has no sparse vector.
Lexical = tuple[list[int], list[float]] | None

_LARGEST_INDEX = 2**32 - 1


def lexical_vectors(name: str, lexical: bool, points: pa.Table) -> list[Lexical]:
    """Return the sparse vector of every point of a table.

    Args:
        name: Collection that the points are for.
        lexical: Whether that collection has sparse vectors.
        points: Table, with or without a column `lexical` of `SPARSE_TYPE`.

    Raises:
        StoreError: the table has sparse vectors, but the collection has none.
        ValueError: a vector breaks the rules of `SparseVector`; the message names the first point
            with such a vector.
    """
    if LEXICAL not in points.column_names:
        return [None] * points.num_rows
    if not lexical:
        raise StoreError(
            f"collection {name!r} has no sparse vectors, but the points do. Call "
            "`ensure_collection` with `lexical=True` first, as `kedro run --pipeline=feature` does"
        )
    column = points.column(LEXICAL).combine_chunks()
    indices, values = _lists(column)
    lengths, flat_indices, flat_values = _flat(points, indices, values)
    _check(points, lengths, flat_indices, flat_values)
    ends = np.cumsum(lengths).tolist()
    all_indices, all_values = flat_indices.tolist(), flat_values.tolist()
    return [
        (all_indices[start:end], all_values[start:end]) if end > start else None
        for start, end in zip([0, *ends], ends, strict=False)
    ]


def check_query(name: str, query: SparseVector) -> None:
    """Refuse a query that breaks the rules of `SparseVector`.

    Raises:
        ValueError: the query breaks a rule; the message names the collection and the rule.
    """
    indices = np.asarray(query.indices, np.int64)
    values = np.asarray(query.values, np.float64)
    problem = None
    if len(indices) and not (indices.min() >= 0 and indices.max() <= _LARGEST_INDEX):
        problem = "an index outside 0 to 2**32 - 1"
    elif (np.diff(indices) <= 0).any():
        problem = "indices that repeat or are not ascending"
    elif not (np.isfinite(values) & (values > 0)).all():
        problem = "a value that is not finite and above zero"
    if problem:
        raise ValueError(f"search in {name!r}: the query has {problem}")


def _lists(column: Any) -> tuple[Any, Any]:
    type_ = column.type
    names = [field.name for field in type_] if pa.types.is_struct(type_) else []
    if sorted(names) == ["indices", "values"]:
        # Unlike `field`, `flatten` makes the parts of a null vector null too.
        parts = dict(zip(names, column.flatten(), strict=True))
        indices, values = parts["indices"], parts["values"]
        if _holds(indices.type, pa.types.is_integer) and _holds(values.type, pa.types.is_floating):
            return indices, values
    raise ValueError(
        f"column {LEXICAL}: expected a struct of `indices`, a list of uint32, and `values`, a list "
        f"of float32, found {type_}"
    )


def _holds(type_: Any, test: Any) -> bool:
    is_list = pa.types.is_list(type_) or pa.types.is_large_list(type_)
    return is_list and bool(test(type_.value_type))


def _flat(
    points: pa.Table, indices: Any, values: Any
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the length of every vector, then all indices and all values, concatenated."""
    lengths = _lengths(indices)
    if (different := lengths != _lengths(values)).any():
        row = int(np.argmax(different))
        raise _bad(points, row, f"{lengths[row]} indices and {_lengths(values)[row]} values")
    parts = indices.flatten(), values.flatten()
    for part in parts:
        if part.null_count:
            place = pc.index(pc.is_null(part), True).as_py()
            raise _bad(points, _row(lengths, place), "a null among its numbers")
    flat = parts[0].cast(pa.int64()), parts[1].cast(pa.float32())
    return lengths, *(part.to_numpy(zero_copy_only=False) for part in flat)


def _lengths(lists: Any) -> npt.NDArray[np.int64]:
    lengths: npt.NDArray[np.int64] = (
        pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
    )
    return lengths


def _check(
    points: pa.Table,
    lengths: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> None:
    if not len(indices):
        return
    starts = np.zeros(len(indices), bool)
    starts[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    ascending = np.append(True, np.diff(indices) > 0) | starts
    for fine, problem in (
        ((indices >= 0) & (indices <= _LARGEST_INDEX), "an index outside 0 to 2**32 - 1"),
        (ascending, "indices that repeat or are not ascending"),
        (np.isfinite(values) & (values > 0), "a value that is not finite and above zero"),
    ):
        if not fine.all():
            raise _bad(points, _row(lengths, int(np.argmin(fine))), problem)


def _row(lengths: npt.NDArray[np.int64], place: int) -> int:
    return int(np.searchsorted(np.cumsum(lengths), place, side="right"))


def _bad(points: pa.Table, row: int, problem: str) -> ValueError:
    return ValueError(f"point {points['id'][row]}: the sparse vector has {problem}")
