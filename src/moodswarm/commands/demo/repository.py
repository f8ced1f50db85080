"""Makes a git repository, the same on every machine, from the sample repository's files."""

import os
import subprocess
from pathlib import Path

import click

_SIGNATURE = {
    "NAME": "Mira Solano",
    "EMAIL": "mira@mira.example",
    "DATE": "2025-02-16T10:00:00+00:00",
}
# These settings do not depend on the machine, so that the commit has the same id everywhere. The
# crawler clones with a filter, which a repository has to allow.
_CONFIGURATION = {
    "core.autocrlf": "false",
    "core.fileMode": "false",
    "gc.auto": "0",
    "uploadpack.allowFilter": "true",
}


def make_repository(files: Path, folder: Path) -> None:
    """Commit files, with a fixed author and date, into a new bare repository.

    Raises:
        click.ClickException: git is missing, or it failed; the message quotes git's error.
    """
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    for name, value in _CONFIGURATION.items():
        _git("config", name, value, folder=folder)
    # The work tree is passed on each call, so that git writes nothing beside the files.
    _git("--work-tree", str(files), "add", "--all", ".", folder=folder, inside=files)
    _git("--work-tree", str(files), "commit", "--quiet", "-m", "Labels that tell when to sow",
         folder=folder, inside=files)  # fmt: skip


def git_environment() -> dict[str, str]:
    """Return an environment without git settings from the user or a git that runs this process.

    The fixed names and dates in it make the commit's id the same on every machine.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    signed = {
        f"GIT_{role}_{name}": value
        for role in ("AUTHOR", "COMMITTER")
        for name, value in _SIGNATURE.items()
    }
    return {**kept, **nowhere, **signed}


def _git(*arguments: str, folder: Path | None = None, inside: Path | None = None) -> None:
    where = ("--git-dir", str(folder)) if folder else ()
    try:
        done = subprocess.run(  # noqa: S603
            ("git", *where, *arguments),  # noqa: S607
            cwd=inside,
            env=git_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise click.ClickException("the demo needs git. Install it and run again.") from error
    if done.returncode:
        raise click.ClickException(f"git {arguments[0]} failed: {done.stderr.strip()}")
