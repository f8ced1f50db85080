"""Open a repository at its newest commit and read its files, one by one."""

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
from moodswarm.crawl.repositories.redaction import redact
from moodswarm.crawl.repositories.secret_files import is_secret_content
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
        path: From the root, with `/`.
        text: Exactly as it is in the repository, but for secrets, a byte order mark and broken
            bytes; of a notebook the cells, as markdown.
        language: What it is written in, such as `python`, if its name or first line tells.
        redacted: How many secrets were replaced in it.
    """

    path: str
    text: str
    language: str | None
    redacted: int


@dataclass(slots=True)
class Repository:
    """A repository at one commit, open as long as its `with` block.

    Attributes:
        url: As it was asked for.
        commit: 40 hex digits.
        default_branch: Its short name; `HEAD` if the server names none.
        licence: SPDX expression, if the licence texts at its root are known ones.
        skipped: Files that were left out, per reason; complete when `files` has ended.
        redacted_secrets: Secrets replaced so far.
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
        """Give the text files, in the order of the tree; one is in memory at a time. Once only.

        Raises:
            RepositoryError: `timeout` or `cancelled`; what came before is good.
        """
        if self._begun:
            raise RuntimeError("the files of a repository are given once")
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

    Nothing of it is ever written under its own name or run. Symbolic links, submodules and
    git-lfs pointers are counted, not followed. May be called from any thread.

    Args:
        url: http or https, without a user name, query or fragment.
        limits: What is read at most; `limits.seconds` counts git and reading, not the caller.
        proxy: Address of the HTTP proxy that judges every request. Without one redirects are
            refused, and nothing keeps the name from resolving to a private address.
        known_commit: Read nothing if the repository is still there.
        allow_http: Whether unencrypted http will do; no password is ever sent.
        folder: Where the temporary folder is made. It is removed in every case but `kill -9`.
        cancelled: Set it from another thread to end early.

    Raises:
        NotModified: the newest commit is `known_commit`.
        RepositoryError: see its `reason`; git and all it started are gone then.
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
    """Ask for the newest commit of the default branch; see `open_repository`.

    Raises:
        RepositoryError: `empty` if there is none, else as the reason says.
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
    for package in ("identify", "detect_secrets"):
        if find_spec(package) is None:
            raise ImportError(
                f"reading repositories needs {package}; install it with: "
                'pip install "moodswarm[crawl]"'
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
    raise RepositoryError("empty", "there is no commit, or it is no repository")


def _clone(git: Git, url: str, file_bytes: int) -> tuple[str, str]:
    """Fetch one commit and return its id and its branch."""
    try:
        git.run(*_CLONING, f"--filter=blob:limit={file_bytes + 1}", "--", url, _CLONE, online=True)
    except RepositoryError as error:
        if error.reason != "hostile":
            raise
        # Beside a filter git 2.39 takes old faults for attacks; without one it knows them.
        git.run(*_CLONING, "--", url, _CLONE, online=True)
    if not any((git.folder / _CLONE / "objects" / "pack").glob("*.pack")):
        _head(git, url)  # says whether it is empty, or no repository at all
        raise RepositoryError("empty", "its default branch does not exist")
    # Without a remote nothing that the filter left out can ever be fetched after all.
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
        raise RepositoryError("hostile", "lists more files than anybody can have") from error


def _said(git: Git, *arguments: str) -> str:
    return git.run(*_IN_CLONE, *arguments).read_text(encoding="utf-8", errors="replace").strip()
