"""Reading a repository: exact text, one commit, and everything else counted."""

from collections import Counter
from pathlib import Path

import pytest

from crawl.git_server import GitServer, git
from crawl.repositories.building import LINK, PROGRAM, SUBMODULE, Content, publish
from moodswarm.crawl.repositories import (
    NotModified,
    RepositoryError,
    RepositoryFile,
    head_commit,
    open_repository,
)
from moodswarm.crawl.spec import Repositories

LIMITS = Repositories(seconds=30)
CODE = b"def f(x):\n\tif x:   \n\t\treturn '\xe2\x9c\x93'  \n\n\n\tpass\r\n# no end"


def read(
    server: GitServer, work: Path, limits: Repositories = LIMITS
) -> tuple[list[RepositoryFile], Counter[str]]:
    with open_repository(server.url("code.git"), limits=limits, folder=work) as repository:
        return list(repository.files()), repository.skipped


def test_code_comes_byte_for_byte(server: GitServer, work: Path) -> None:
    publish(server.folder, {"src/a.py": CODE, "empty.txt": b"", "crlf.txt": b"a \r\n\tb\r\n"})
    files, skipped = read(server, work)
    found = {file.path: file.text.encode() for file in files}
    assert found == {"src/a.py": CODE, "empty.txt": b"", "crlf.txt": b"a \r\n\tb\r\n"}
    assert not skipped


def test_files_name_their_language(server: GitServer, work: Path) -> None:
    script = b"#!/usr/bin/env python3\nprint()\n"
    publish(
        server.folder,
        {"a.py": b"x\n", "run": (PROGRAM, script), "b.h": b"x\n", "c.ipynb": b"{}", "notes": b"x"},
    )
    files, _ = read(server, work)
    assert {file.path: file.language for file in files} == {
        "a.py": "python", "run": "python", "b.h": "c", "c.ipynb": "jupyter", "notes": None
    }  # fmt: skip


def test_commit_branch_and_licence_are_named(server: GitServer, work: Path) -> None:
    commit = publish(server.folder, {"LICENSE": b"SPDX-License-Identifier: MIT\n", "a.py": b"1\n"})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        assert (repository.commit, repository.default_branch) == (commit, "main")
        assert repository.licence == "MIT"


def test_a_later_commit_does_not_change_what_was_opened(server: GitServer, work: Path) -> None:
    first = publish(server.folder, {"a.py": b"old\n"})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        second = publish(server.folder, {"a.py": b"new\n"})
        assert repository.commit == first != second
        assert [file.text for file in repository.files()] == ["old\n"]


def test_a_known_commit_is_not_fetched_again(server: GitServer, work: Path) -> None:
    commit = publish(server.folder, {"a.py": b"1\n"})
    url = server.url("code.git")
    with (
        pytest.raises(NotModified, match=commit),
        open_repository(url, limits=LIMITS, known_commit=commit, folder=work),
    ):
        pass
    assert server.fetches == 0


def test_another_known_commit_is_fetched(server: GitServer, work: Path) -> None:
    commit = publish(server.folder, {"a.py": b"1\n"})
    url = server.url("code.git")
    with open_repository(url, limits=LIMITS, known_commit="0" * 40, folder=work) as repository:
        assert repository.commit == commit
    assert server.fetches == 1


def test_the_newest_commit_can_be_asked_for_alone(server: GitServer, work: Path) -> None:
    commit = publish(server.folder, {"a.py": b"1\n"})
    assert head_commit(server.url("code.git"), folder=work) == commit
    assert server.fetches == 0


LEFT_OUT: dict[str, tuple[str, Content]] = {
    "binary by name": ("binary", b"not really an image"),
    "binary by content": ("binary", b"a\0b"),
    "control characters": ("binary", b"\x01\x02\x03 text"),
    "neither": ("not_text", b"\xff\x81\x8d" * 9),
    "large": ("too_large", b"line\n" * 200_000),
    "ignored": ("ignored", b"x"),
    "symlink": ("symlink", (LINK, b"/etc/passwd")),
    "submodule": ("submodule", (SUBMODULE, b"1" * 40)),
    "lfs": ("lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"),
    "minified": ("long_lines", b"var a=1;" * 2_000),
    "secret by name": ("secret_file", b"TOKEN=1\n"),
    "key": ("secret_file", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"),
}
PATHS = {
    "binary by name": "a.png", "ignored": "web/node_modules/x/index.js", "large": "a.txt",
    "minified": "a.js", "secret by name": "deploy/.env", "key": "server-key",
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_is_left_out_is_counted_by_reason(server: GitServer, work: Path, case: str) -> None:
    reason, content = LEFT_OUT[case]
    publish(server.folder, {"b.py": b"1\n", PATHS.get(case, "thing"): content})
    files, skipped = read(server, work)
    assert [file.path for file in files] == ["b.py"]
    assert skipped == {reason: 1}


def test_files_beyond_the_limit_are_counted(server: GitServer, work: Path) -> None:
    publish(server.folder, {f"f{n:02}.py": b"1\n" for n in range(10)})
    files, skipped = read(server, work, Repositories(files=3))
    assert [file.path for file in files] == ["f00.py", "f01.py", "f02.py"]
    assert skipped == {"too_many_files": 7}


def test_files_that_are_left_out_are_named_with_the_reason(server: GitServer, work: Path) -> None:
    files: dict[str, Content] = {PATHS.get(case, case): LEFT_OUT[case][1] for case in LEFT_OUT}
    publish(server.folder, {"a.py": b"1\n", **files})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        list(repository.files())
        skipped = repository.skipped
    for case, (reason, _) in LEFT_OUT.items():
        assert PATHS.get(case, case) in skipped.paths[reason]
    assert {reason: len(paths) for reason, paths in skipped.paths.items()} == skipped


def test_large_files_are_not_even_fetched(server: GitServer, work: Path) -> None:
    publish(server.folder, {"a.py": b"1\n", "big.txt": bytes(range(32, 127)) * 10_000})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        packs = list(work.rglob("*.pack"))
        assert sum(pack.stat().st_size for pack in packs) < 1_000
        assert repository.skipped == {"too_large": 1}


def test_a_server_without_filters_serves_the_same(server: GitServer, work: Path) -> None:
    server.filters = False
    publish(server.folder, {"a.py": b"1\n", "big.txt": b"line\n" * 200_000})
    files, skipped = read(server, work)
    assert [file.path for file in files] == ["a.py"]
    assert skipped == {"too_large": 1}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("# café, naïve\n".encode("latin-1"), "# café, naïve\n"),
        ("He said “no” – twice.\r\n".encode("cp1252"), "He said “no” – twice.\r\n"),
        ("a\tb\r\nü\n".encode("utf-16"), "a\tb\r\nü\n"),
        (b"\xef\xbb\xbfprint()\n", "print()\n"),
    ],
    ids=["latin-1", "windows-1252", "utf-16", "byte order mark"],
)
def test_old_encodings_are_decoded(server: GitServer, work: Path, data: bytes, text: str) -> None:
    publish(server.folder, {"a.txt": data})
    files, _ = read(server, work)
    assert [file.text for file in files] == [text]


def test_secrets_are_replaced_and_counted(server: GitServer, work: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    publish(server.folder, {"a.py": f'T = "{token}"\n'.encode(), "b.py": b"1\n"})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        files = list(repository.files())
        assert [(file.text, file.redacted) for file in files] == [
            ('T = "[redacted secret]"\n', 1), ("1\n", 0)
        ]  # fmt: skip
        assert repository.redacted_secrets == 1


def test_nothing_is_left_behind(server: GitServer, work: Path) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        next(repository.files())
        assert any(work.iterdir())
    assert not any(work.iterdir())


def test_files_cannot_be_read_after_the_block(server: GitServer, work: Path) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    with open_repository(server.url("code.git"), limits=LIMITS, folder=work) as repository:
        pass
    with pytest.raises(RepositoryError, match="cancelled: the repository is closed"):
        next(repository.files())


def test_an_empty_repository_says_so(server: GitServer, work: Path) -> None:
    git("init", "--quiet", "--bare", str(server.folder / "code.git"), folder=server.folder)
    with pytest.raises(RepositoryError, match="empty: there is no commit"):
        read(server, work)


def test_a_default_branch_that_does_not_exist_says_so(server: GitServer, work: Path) -> None:
    publish(server.folder, {"a.py": b"1\n"})
    git("symbolic-ref", "HEAD", "refs/heads/gone", folder=server.folder / "code.git")
    with pytest.raises(RepositoryError, match="empty"):
        read(server, work)
