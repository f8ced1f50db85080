"""`moodswarm demo`: serve the sample site, crawl it, make features and search them."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from moodswarm.commands.demo.repository import make_repository
from moodswarm.commands.demo.site import ADDRESS, CODE_HOST, SiteServer
from moodswarm.commands.printing import echo
from moodswarm.commands.project import Project

PORT = 8642
#: The environment variable that conf/demo reads the port from.
PORT_VARIABLE = "MOODSWARM_DEMO_PORT"
QUESTIONS = (
    ("why did the whale sing twice", "-k", "2"),
    ("how many years does onion seed keep", "--kind", "repository", "-k", "1"),
)
_MOODSWARM = (sys.executable, "-c", "from moodswarm.commands import main; main()")


@click.command("demo")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="Port of the sample site, which is part of its links; 0 takes a free one.",
)
@click.option("--keep", is_flag=True, help="Keep serving the site at the end, until Ctrl-C.")
def demo_command(port: int, keep: bool) -> None:
    """Crawl a sample site that this command serves, make features from it, and search them.

    Nothing is requested from outside this machine, and your own stores are not touched: the demo
    has its own in data/demo. If you run it again, it processes only what has changed.

    \b
    It runs the commands that you would run for your own links:
      kedro run --env demo
      moodswarm --env demo search "why did the whale sing twice"
    """
    _check_extra()
    root = Project("demo").root
    site = root / "data/01_raw/sample_site"
    if not site.is_dir():
        raise click.ClickException(
            f"{site} is missing. It comes with a clone of the project; run the demo in one."
        )
    again = (root / "data/demo/documents.db").exists()
    with _served(site, port) as served:
        _say(
            f"The sample site of Mira Solano, an invented author, is at http://mira.localhost:"
            f"{served}/\non this machine: a blog, a story on Medium, a letter on Substack, a page "
            "that needs\nJavaScript, a page that is gone, and a repository."
        )
        _run(root, served, "kedro run --env demo", (sys.executable, "-m", "kedro"))
        for question in QUESTIONS:
            words = shlex.join(("moodswarm", "--env", "demo", "search", *question))
            _run(root, served, words, _MOODSWARM)
        _say(_conclusion(again, port))
        if keep:
            _wait(served)


def _check_extra() -> None:
    from importlib.util import find_spec

    if find_spec("scrapy") is None:
        raise click.ClickException(
            'the demo needs the crawler. Install it with: pip install "moodswarm[crawl]"'
        )


@contextmanager
def _served(site: Path, port: int) -> Iterator[int]:
    with TemporaryDirectory(prefix="moodswarm-demo-") as folder:
        make_repository(site / "repository", Path(folder, "seedlabel.git"))
        try:
            serving = SiteServer(site, Path(folder), port)
        except OSError as error:
            raise click.ClickException(
                f"{ADDRESS}:{port} cannot be used ({error.strerror}). Choose another with --port."
            ) from error
        with serving:
            yield serving.port


def _run(root: Path, port: int, words: str, program: tuple[str, ...]) -> None:
    """Show a command and run it as a user would.

    Raises:
        SystemExit: the command failed.
    """
    _say(f"$ {words}")
    done = subprocess.run(  # noqa: S603
        (*program, *shlex.split(words)[1:]),
        cwd=root,
        env={**os.environ, PORT_VARIABLE: str(port)},
        check=False,
    )
    if done.returncode:
        _say(f"`{words}` ended with exit code {done.returncode}. See the reason above.")
        raise SystemExit(1)


def _say(text: str) -> None:
    echo(f"\n{text}\n", bold=True)


def _conclusion(again: bool, port: int) -> str:
    option = "" if port == PORT else f" --port {port}"
    lines = [
        "Each document is a page of the site or a file of the repository, identified by its link."
    ]
    if port and again:
        lines.append("This was not the first run here, so unchanged documents were skipped.")
    elif port:
        lines.append(f"Run `moodswarm demo{option}` again: nothing is stored or embedded twice.")
    lines += (
        f"  moodswarm demo{option} --keep   keeps serving: change a page of the site and rerun",
        "  rm -r data/demo         removes the demo's data",
        "  docs/crawl.md           crawl your own links, in conf/local/parameters_crawl.yml",
        "  docs/archives.md        use your archives: moodswarm import --from linkedin|medium|x",
    )
    return "\n".join(lines)


def _wait(port: int) -> None:
    names = ("mira.localhost", f"{CODE_HOST} (git clone http://{ADDRESS}:{port}/seedlabel.git)")
    _say(
        f"Serving http://{names[0]}:{port}/ until Ctrl-C. In another terminal:\n"
        f"  {PORT_VARIABLE}={port} kedro run --env demo"
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _say("Stopped.")
