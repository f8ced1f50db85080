"""Sizes that cannot work are refused, and the message shows the numbers."""

from typing import Any

import pytest
from pydantic import ValidationError

from moodswarm.text.chunking_parameters import ChunkingParams


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"unit": "tokens", "size": 10, "overlap": 10}, "overlap 10 must be below size 10"),
        ({"unit": "tokens", "size": 0}, "greater than 0"),
        ({"unit": "tokens", "size": 10, "overlap": -1}, "greater than or equal to 0"),
        (
            {"unit": "characters", "min_characters": 9, "max_characters": 8},
            "min_characters 9 must not be above max_characters 8",
        ),
        (
            {"unit": "characters", "min_characters": 5, "max_characters": 9, "overlap": 5},
            "overlap 5 must be below min_characters 5",
        ),
        ({"unit": "tokens", "size": 10, "max_characters": 9}, "Extra inputs are not permitted"),
        ({"unit": "words", "size": 10}, "'tokens', 'characters'"),
        ({"size": 10}, "Unable to extract tag using discriminator 'unit'"),
    ],
)
def test_a_size_that_cannot_work_is_refused(size: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ChunkingParams.model_validate({"post": size})


def test_each_kind_may_use_either_unit() -> None:
    size = {"unit": "characters", "min_characters": 100, "max_characters": 200}
    assert ChunkingParams.model_validate({"post": size}).post.unit == "characters"


def test_defaults_are_those_of_the_product() -> None:
    dumped = ChunkingParams().model_dump()
    assert dumped["post"] == {"unit": "tokens", "size": 250, "overlap": 25}
    assert dumped["repository"] == {"unit": "tokens", "size": 1_500, "overlap": 100}
    assert (dumped["article"]["min_characters"], dumped["article"]["max_characters"]) == (
        1_000,
        2_000,
    )
