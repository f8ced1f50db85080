"""Cuts are chosen for the fewest chunks, then for cheap borders and even filling."""

from hypothesis import given, settings
from hypothesis import strategies as st

from moodswarm.text.packing import Stretch, pack, thin


def stretch(sizes: list[int], costs: list[float]) -> Stretch:
    places = [0]
    for size in sizes:
        places.append(places[-1] + size)
    return Stretch(costs, places, places, places, places)


def test_an_equal_number_of_chunks_is_filled_evenly() -> None:
    assert pack(stretch([2] * 6, [0.1] * 7), 10, 100, 100) == [(0, 3), (3, 6)]


def test_a_cheap_border_beats_an_even_one() -> None:
    assert pack(stretch([2] * 6, [0, 0.5, 0.0, 0.5, 0.5, 0.5, 0]), 10, 100, 100)[0] == (0, 2)


def test_a_cost_above_one_is_worth_another_chunk() -> None:
    pairs = pack(stretch([3, 3, 3, 3], [0, 0.1, 3.0, 0.1, 0]), 6, 100, 100)
    assert 2 not in [end for _, end in pairs]


def test_characters_are_limited_like_tokens() -> None:
    assert len(pack(stretch([5] * 4, [0.1] * 5), 100, 10, 10)) == 2


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0.0, 0.2, 1.0])), min_size=1),
    st.integers(9, 60),
)
def test_packed_chunks_are_seamless_and_fit(borders: list[tuple[int, float]], most: int) -> None:
    sizes = [size for size, _ in borders]
    packed = stretch(sizes, [0.0, *(cost for _, cost in borders)])
    kept = thin(packed.costs, packed.tokens_to, packed.characters_to, most, 1_000)
    part = Stretch(
        *([values[i] for i in kept] for values in (packed.costs, *[packed.tokens_to] * 4))
    )
    pairs = pack(part, most, 1_000, 1_000)
    assert [begin for begin, _ in pairs] == [0, *(end for _, end in pairs[:-1])]
    assert pairs[-1][1] == len(kept) - 1
    assert all(part.tokens_to[end] - part.tokens_to[begin] <= most for begin, end in pairs)


def test_thinning_bounds_the_number_of_borders() -> None:
    places = list(range(10_001))
    kept = thin([0.1] * 10_001, places, places, 320, 10**6)
    assert kept[0] == 0
    assert kept[-1] == 10_000
    assert len(kept) < 1_100
