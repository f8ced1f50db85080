"""Opens a repository at its newest commit and reads its files, one by one."""

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from moodswarm.crawl.repositories.budget import Budget
from moodswarm.crawl.repositories.errors import NotModified, RepositoryError
from moodswarm.crawl.repositories.git import Git
from moodswarm.crawl.repositories.licences import licence_of
from moodswarm.crawl.repositories.objects import Objects
from moodswarm.crawl.repositories.redaction import is_secret_content, redact
from moodswarm.crawl.repositories.text import LeftOut, SkippedFiles, language_of, text_of
from moodswarm.crawl.repositories.tree import Entry, read_tree
from moodswarm.crawl.spec import Repositories

_HEAD = re.compile(r"([0-9a-f]{40})\tHEAD")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ODD = re.compile(r"[\x00-\x20\x7f-\uffff\\<>\"^`{|}]")


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A text file of a repository.

    Attributes:
        path: The path from the root of the repository, with `/` as separator.
        text: Exactly as it is in the repository, except for secrets, a byte order mark and broken
            bytes; for a notebook, its cells as markdown.
        language: The file's language, such as `python`, if its name or first line shows it.
        redacted: How many secrets were replaced in the text.
    """

    path: str
    text: str
    language: str | None
    redacted: int


@dataclass(slots=True)
class Repository:
    """A repository at one commit, open until its `with` block ends.

    Attributes:
        url: The address that was asked for.
        commit: The id of the commit, 40 hex digits.
        default_branch: The short name of the default branch; `HEAD` if the server does not name it.
        licence: SPDX expression of the licence; None if the texts at the root are not known.
        skipped: Number of files that were left out, per reason; complete when `files` has ended.
        redacted_secrets: How many secrets have been replaced so far.
    """

    url: str
    commit: str
    default_branch: str
    licence: str | None
    skipped: SkippedFiles
    _entries: list[Entry]
    _objects: Objects
    redacted_secrets: int = 0
    _begun: bool = field(default=False, repr=False)

    def files(self) -> Iterator[RepositoryFile]:
        """Yield the text files in the order of the tree, with only one in memory at a time.

        This can be called only once.

        Raises:
            RepositoryError: with the reason `timeout` or `cancelled`, for example; the files
                yielded until then are complete.
        """
        if self._begun:
            raise RuntimeError("the files of a repository can be read only once")
        self._begun = True
        for entry in self._entries:
            with self._objects.working():
                result = self._read(entry)
            if isinstance(result, LeftOut):
                self.skipped.leave_out(result.reason, entry.path)
            else:
                self.redacted_secrets += result.redacted
                yield result

    def _read(self, entry: Entry) -> RepositoryFile | LeftOut:
        data = self._objects.read(entry)
        language = language_of(entry.path, data)
        text = text_of(data, language)
        if isinstance(text, LeftOut):
            return text
        if is_secret_content(entry.path, text):
            return LeftOut("secret_file")
        clean, redacted = redact(text, entry.path)
        return RepositoryFile(entry.path, clean, language, redacted)


@contextmanager
def open_repository(
    url: str,
    *,
    limits: Repositories,
    proxy: str | None = None,
    known_commit: str | None = None,
    allow_http: bool = True,
    folder: Path | None = None,
    cancelled: threading.Event | None = None,
) -> Iterator[Repository]:
    """Clone the newest commit of the default branch, without a work tree, and open it.

    No file is ever run, or written under its own name. Symbolic links, submodules and git-lfs
    pointers are counted, not followed. This may be called from any thread.

    Args:
        url: An http or https address without a user name, query or fragment.
        limits: Limits for the reading; `limits.seconds` is the time for git and for reading, not
            for what the caller does with the files.
        proxy: Address of the HTTP proxy that checks every request. Without a proxy, redirects are
            refused, but nothing prevents the host's name from resolving to a private address.
        known_commit: If the repository is still at this commit, nothing is read.
        allow_http: Whether unencrypted http is allowed; no password is ever sent.
        folder: Where the temporary folder is made. It is always removed, except after `kill -9`.
        cancelled: An event that another thread can set to end the reading early.

    Raises:
        NotModified: if the newest commit is `known_commit`.
        RepositoryError: if the repository cannot be read; its `reason` says why. By then git and
            everything it started have ended.
    """
    with _git(url, limits, proxy, allow_http, folder, cancelled) as git:
        if known_commit is not None and _head(git, url) == known_commit:
            raise NotModified(known_commit)
        commit, branch = _clone(git, url, limits.file_bytes)
        skipped = SkippedFiles()
        entries = read_tree(_listing(git, commit), limits, skipped)
        objects = Objects(git, _IN_CLONE)
        try:
            licence = licence_of(entries, objects.text)
            git.budget.pause()
            yield Repository(url, commit, branch, licence, skipped, entries, objects)
        finally:
            objects.close()


def head_commit(
    url: str,
    *,
    seconds: float = 60.0,
    proxy: str | None = None,
    allow_http: bool = True,
    folder: Path | None = None,
    cancelled: threading.Event | None = None,
) -> str:
    """Ask the server for the newest commit of the default branch, and return its id.

    For the arguments, see `open_repository`.

    Raises:
        RepositoryError: with the reason `empty` if there is no commit, or with another reason.
    """
    limits = Repositories(seconds=seconds)
    with _git(url, limits, proxy, allow_http, folder, cancelled) as git:
        return _head(git, url)


_CLONE = "clone.git"
_CLONING = (
    "clone", "--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags", "--template="
)  # fmt: skip
_IN_CLONE = (f"--git-dir={_CLONE}",)


@contextmanager
def _git(
    url: str,
    limits: Repositories,
    proxy: str | None,
    allow_http: bool,
    folder: Path | None,
    cancelled: threading.Event | None,
) -> Iterator[Git]:
    _check_url(url, allow_http)
    _check_installed()
    budget = Budget(limits.seconds, cancelled)
    with tempfile.TemporaryDirectory(
        prefix="moodswarm-git-", dir=folder, ignore_cleanup_errors=True
    ) as place:
        budget.resume()
        yield Git(
            folder=Path(place),
            budget=budget,
            disk_mib=limits.clone_mib,
            proxy=proxy,
            http=allow_http,
        )


def _check_installed() -> None:
    for package in ("identify", "detect_secrets", "pathspec"):
        if find_spec(package) is None:
            raise ImportError(
                f'reading repositories needs {package}. Install it: pip install "moodswarm[crawl]"'
            )


def _check_url(url: str, allow_http: bool) -> None:
    schemes = ("https", "http") if allow_http else ("https",)
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc or parts.query or parts.fragment or _ODD.search(url):
        raise RepositoryError(
            "bad_url", f"expected {' or '.join(schemes)}://host/path, without user name and query"
        )


def _head(git: Git, url: str) -> str:
    said = git.run("ls-remote", "--symref", "--", url, "HEAD", online=True)
    with said.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if match := _HEAD.fullmatch(line.rstrip("\n")):
                return match[1]
    raise RepositoryError("empty", "there is no commit, or it is not a repository")


def _clone(git: Git, url: str, file_bytes: int) -> tuple[str, str]:
    """Fetch one commit and return its id and its branch."""
    try:
        git.run(*_CLONING, f"--filter=blob:limit={file_bytes + 1}", "--", url, _CLONE, online=True)
    except RepositoryError as error:
        if error.reason != "hostile":
            raise
        # With a filter, git 2.39 takes the mistakes of old tools for attacks; without a filter, it
        # ignores these mistakes, as configured.
        git.run(*_CLONING, "--", url, _CLONE, online=True)
    if not any((git.folder / _CLONE / "objects" / "pack").glob("*.pack")):
        _head(git, url)  # raises if the repository is empty, or is none at all
        raise RepositoryError("empty", "its default branch does not exist")
    # Without a remote, git cannot fetch later what the filter left out.
    git.run(*_IN_CLONE, "config", "--remove-section", "remote.origin")
    commit = _said(git, "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")
    if not _COMMIT.fullmatch(commit):
        raise RepositoryError("unsupported", "its ids are not SHA-1")
    return commit, _said(git, "rev-parse", "--abbrev-ref", "HEAD")


def _listing(git: Git, commit: str) -> Path:
    try:
        return git.run(*_IN_CLONE, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    except RepositoryError as error:
        if error.reason != "too_large":
            raise
        raise RepositoryError("hostile", "lists impossibly many files") from error


def _said(git: Git, *arguments: str) -> str:
    return git.run(*_IN_CLONE, *arguments).read_text(encoding="utf-8", errors="replace").strip()
