"""Checking the conditions that a caller sets before an engine sees them."""

from collections.abc import Sequence

from moodswarm.stores.vectors.protocol import Match, TimeRange


def check_match(match: Match | None) -> Match:
    """Refuse conditions that the engines would misread; None meets every point.

    Raises:
        TypeError: a bare string where a list of values belongs, or values that are not all text
            or all whole numbers.
        ValueError: a time without a zone, or a range without an end.
    """
    for field, values in (match or {}).items():
        if isinstance(values, TimeRange):
            _check_range(field, values)
        else:
            _check_values(field, values)
    return match or {}


def _check_values(field: str, values: Sequence[str] | Sequence[int]) -> None:
    if isinstance(values, str):
        raise TypeError(
            f"condition on {field!r}: expected a list of values, found the string {values!r}"
        )
    kinds = {type(value) for value in values}
    if not (kinds <= {str} or (kinds <= {int} and field != "id")):
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(
            f"condition on {field!r}: expected text"
            f"{'' if field == 'id' else ', or whole numbers'}, found {found}"
        )


def _check_range(field: str, times: TimeRange) -> None:
    if times.since is None and times.until is None:
        raise ValueError(f"condition on {field!r}: expected a time range with `since` or `until`")
    for end in (times.since, times.until):
        if end is not None and end.tzinfo is None:
            raise ValueError(
                f"condition on {field!r}: expected times with a zone, found {end.isoformat()}"
            )
