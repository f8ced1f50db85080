"""Does memory grow with the corpus? Peak memory of a run over 5,000 and over 50,000 documents.

Run: python benchmarks/memory.py

Documents are generated; the model is the tiny one of the tests, since only the pipeline is
measured. The smaller corpus is the rival of the larger one. Goal: at most 1.3 times its memory.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

GOAL = 1.3
SENTENCE = "The kettle of house {n} sings at tide {m}, and somebody writes it down. "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--json", type=Path, help="write the numbers here")
    options = parser.parse_args()
    peaks = {}
    with TemporaryDirectory() as folder:
        for documents in options.documents:
            path = Path(folder) / str(documents)
            spawn(fill, path, documents)
            for label in ("first run", "nothing changed"):
                peaks[f"{documents} documents, {label}"] = spawn(measure, path)
            shutil.rmtree(path)
    for label in ("first run", "nothing changed"):
        small, large = (
            peaks[f"{n} documents, {label}"] for n in (options.documents[0], options.documents[-1])
        )
        print(f"{label}: {small:.0f} MiB, {large:.0f} MiB, ratio {large / small:.2f} (goal {GOAL})")
    if options.json:
        options.json.write_text(json.dumps(peaks, indent=2))


def fill(path: Path, documents: int) -> None:
    """Make a project and its documents."""
    from e2e.projects import SmallProject, article
    from models.tiny import build_tiny_checkpoint

    project = SmallProject.create(path, build_tiny_checkpoint(path.parent / f"model-{documents}"))
    for start in range(0, documents, 500):
        project.upsert(
            article(n, "".join(SENTENCE.format(n=n, m=m) for m in range(3)))
            for n in range(start, min(start + 500, documents))
        )


def measure(path: Path) -> float:
    """Run the feature pipeline and return the peak resident memory in MiB."""
    from e2e.projects import SmallProject

    SmallProject(path).run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spawn(work, *arguments):  # type: ignore[no-untyped-def]
    """Call a function in a fresh process, so that its peak is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


if __name__ == "__main__":
    main()
