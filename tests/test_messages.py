"""A failed command shows what is wrong and what to do, and no traceback."""

import logging
import sys
import warnings

import pytest
from kedro.framework.project import configure_project, pipelines

from moodswarm.hooks.messages import VARIABLE, is_known, show_messages
from moodswarm.plugins import quiet_kedro
from moodswarm.stores.errors import StoreLocked


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Collect the errors whose traceback is shown."""
    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "argv", ["/bin/kedro", "run"])
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(error))
    monkeypatch.delenv(VARIABLE, raising=False)
    return shown


def test_a_known_error_is_one_message_and_names_the_way_to_its_traceback(
    hooked: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    show_messages()
    error = StoreLocked("held by pid 4711. Let it finish")
    sys.excepthook(StoreLocked, error, None)
    assert hooked == []
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Error: held by pid 4711. Let it finish"
    assert VARIABLE in lines[1]


def test_a_fault_of_the_program_keeps_its_traceback(hooked: list[BaseException]) -> None:
    show_messages()
    fault = KeyError("text")
    sys.excepthook(KeyError, fault, None)
    assert hooked == [fault]
    assert not is_known(KeyboardInterrupt())


def test_a_variable_keeps_all_tracebacks(
    hooked: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    before = sys.excepthook
    show_messages()
    assert sys.excepthook is before


def test_an_unknown_pipeline_names_the_known() -> None:
    configure_project("moodswarm")
    pipelines.set_requested(["featur"])
    try:
        with pytest.raises(ValueError, match="no pipeline 'featur'. Name one of crawl, feature, "):
            list(pipelines)
    finally:
        pipelines.set_requested(None)


def test_kedro_does_not_warn_of_the_option_that_everyone_uses() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quiet_kedro()
        warnings.warn("Option '--pipeline' is deprecated and will be removed", stacklevel=1)
    assert caught == []
    runner = logging.getLogger("kedro.runner.sequential_runner")
    record = logging.makeLogRecord({"msg": "Use the --async flag for gains"})
    assert not runner.filter(record)
