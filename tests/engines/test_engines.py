"""Every engine returns the same pages, in the same order."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from pydantic import ValidationError

from moodswarm.engines.engine import Engine, EngineParams, Step, StepFactory
from moodswarm.engines.opening import open_engine


@pytest.fixture(scope="module")
def make_double() -> StepFactory:
    """Return nested functions, which are sent to workers by value: workers cannot import tests."""

    def make() -> Step:
        return lambda table: pa.table({"n": [2 * value for value in table["n"].to_pylist()]})

    return make


@pytest.fixture(scope="module")
def make_failing() -> StepFactory:
    def make() -> Step:
        def fail(table: pa.Table) -> pa.Table:
            raise ValueError("page is broken")

        return fail

    return make


@pytest.fixture(params=["in_process", pytest.param("ray", marks=pytest.mark.slow)], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "ray":
        pytest.importorskip("ray")
    yield open_engine(EngineParams(backend=request.param))
    if request.param == "ray":
        import ray

        ray.shutdown()


def pages() -> Iterator[pa.Table]:
    return (pa.table({"n": list(range(start, start + 3))}) for start in range(0, 30, 3))


@pytest.mark.filterwarnings("ignore")
def test_pages_come_back_one_for_one_and_in_order(engine: Engine, make_double: StepFactory) -> None:
    results = [page["n"].to_pylist() for page in engine.map_batches(make_double, pages())]
    assert results == [[2 * n for n in range(start, start + 3)] for start in range(0, 30, 3)]


@pytest.mark.filterwarnings("ignore")
def test_an_empty_page_stays_a_page(engine: Engine, make_double: StepFactory) -> None:
    empty = pa.table({"n": pa.array([], pa.int64())})
    assert [len(page) for page in engine.map_batches(make_double, [empty, empty])] == [0, 0]


@pytest.mark.filterwarnings("ignore")
def test_no_pages_give_no_pages(engine: Engine, make_double: StepFactory) -> None:
    assert list(engine.map_batches(make_double, [])) == []


@pytest.mark.filterwarnings("ignore")
def test_a_failing_step_fails_the_run(engine: Engine, make_failing: StepFactory) -> None:
    with pytest.raises(Exception, match="page is broken"):
        list(engine.map_batches(make_failing, pages()))


def test_in_process_takes_a_page_only_when_its_result_is_asked_for(
    make_double: StepFactory,
) -> None:
    taken: list[int] = []

    def watched() -> Iterator[pa.Table]:
        for number, page in enumerate(pages()):
            taken.append(number)
            yield page

    results: Iterator[pa.Table] = open_engine(EngineParams()).map_batches(make_double, watched())
    next(results)
    assert taken == [0]


@pytest.mark.parametrize("params", [{"backend": "dask"}, {"workers": 0}, {"threads": 4}])
def test_a_wrong_engine_parameter_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(params))):
        EngineParams(**params)  # type: ignore[arg-type]
