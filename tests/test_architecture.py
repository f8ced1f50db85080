"""The architecture of the package, checked in its imports and against the documentation."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
ARCHITECTURE = ROOT / "docs" / "architecture.md"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for type checking count too: readers follow them as well."""
    graph = grimp.build_graph("moodswarm", cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    circle: list[str] = []
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def test_every_package_says_what_is_in_it() -> None:
    for package in sorted((ROOT / "src" / "moodswarm").rglob("__init__.py")):
        assert package.read_text(encoding="utf-8").startswith('"""'), package


def test_every_file_on_the_way_from_a_link_to_an_answer_exists() -> None:
    page = ARCHITECTURE.read_text(encoding="utf-8")
    way = page.split("## From a link to an answer", 1)[1].split("\n## ", 1)[0]
    files = re.findall(r"`([a-z_0-9/]+\.(?:py|jinja|yml))`", way)
    assert len(files) > 30
    missing = [name for name in files if not (ROOT / _from_root(name)).is_file()]
    assert missing == []


def _from_root(name: str) -> Path:
    return Path(name) if name.startswith("conf/") else Path("src/moodswarm", name)
