"""Measure whether memory grows with the corpus, in runs over 5,000 and over 50,000 documents.

Run: python benchmarks/memory.py

Documents are generated posts of one chunk each; the configuration is the default. The larger corpus
is compared with the smaller one. Goal: at most 1.3 times the memory.

Two peaks are shown: the memory that the process owns (anonymous memory), and the same with the
pages of mapped files, which the system reclaims when memory is needed. Qdrant Edge maps its files,
and these files do grow with the corpus.
"""

import argparse
import json
import multiprocessing
import shutil
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

GOAL = 1.3
RUNS = ("first run", "nothing changed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    peaks = {}
    with TemporaryDirectory() as folder:
        for documents in options.documents:
            path = Path(folder) / str(documents)
            spawn(fill, path, documents)
            for run in RUNS:
                for what, peak in spawn(measure, path).items():
                    peaks[f"{run}, {what}, {documents} documents"] = peak
            shutil.rmtree(path)
    first, last = options.documents[0], options.documents[-1]
    for case in (f"{run}, {what}" for run in RUNS for what in ("owned", "with mapped files")):
        small, large = peaks[f"{case}, {first} documents"], peaks[f"{case}, {last} documents"]
        print(f"{case}: {small:.0f} MiB, {large:.0f} MiB, ratio {large / small:.2f} (goal {GOAL})")
    if options.json:
        options.json.write_text(json.dumps(peaks, indent=2))


def fill(path: Path, documents: int) -> None:
    """Create a project with documents."""
    from e2e.projects import SmallProject, post

    project = SmallProject.create(path, path, embedding={})
    for start in range(0, documents, 500):
        project.upsert(
            post(n, f"The kettle of house {n} sings, and somebody writes it down.")
            for n in range(start, min(start + 500, documents))
        )


def measure(path: Path) -> dict[str, float]:
    """Run the feature pipeline and return the peaks of resident memory in MiB."""
    from e2e.projects import run_feature

    peaks = {"owned": 0.0, "with mapped files": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            status = Path("/proc/self/status").read_text()
            sizes = {
                line.split(":")[0]: line.split()[1] for line in status.splitlines() if "kB" in line
            }
            for what, field in (("owned", "RssAnon"), ("with mapped files", "VmRSS")):
                peaks[what] = max(peaks[what], int(sizes[field]) / 1024)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    run_feature(path)
    done.set()
    watcher.join()
    return peaks


def spawn(work, *arguments):  # type: ignore[no-untyped-def]
    """Call a function in a fresh process, so that only its own memory counts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


if __name__ == "__main__":
    main()
