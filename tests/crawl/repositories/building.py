"""Builds honest and hostile repositories, as bare folders that `GitServer` serves."""

import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

from crawl.git_server import git

FILE, PROGRAM, LINK, SUBMODULE, TREE = "100644", "100755", "120000", "160000", "40000"
Content = bytes | tuple[str, bytes]


def publish(folder: Path, files: Mapping[str, Content], name: str = "code.git") -> str:
    """Commit files to the branch `main` of a repository, which is created if needed.

    Args:
        folder: The folder from which repositories are served.
        files: The content for each path, or (mode, content) for everything but plain files. The
            content of a submodule is a commit id.

    Returns:
        The id of the commit.
    """
    place = folder / name
    if not place.exists():
        git("init", "--quiet", "--bare", "--initial-branch=main", str(place), folder=folder)
    stream = [b"commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\n"]
    stream += [b"data 4\nwork\n", b"deleteall\n"]
    for path, content in files.items():
        mode, data = content if isinstance(content, tuple) else (FILE, content)
        if mode == SUBMODULE:
            stream.append(b"M 160000 %s %s\n" % (data, path.encode()))
        else:
            stream.append(b"M %s inline %s\n" % (mode.encode(), path.encode()))
            stream.append(b"data %d\n%s\n" % (len(data), data))
    git("fast-import", "--quiet", "--force", folder=place, stdin=b"".join(stream))
    return git("rev-parse", "main", folder=place).decode().strip()


class RawRepository:
    """A repository of objects that git itself would refuse to write."""

    def __init__(self, folder: Path, name: str = "raw.git") -> None:
        self.path = folder / name
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.path), folder=folder)

    def write(self, kind: str, data: bytes) -> str:
        """Write one object and return its id."""
        whole = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(whole).hexdigest()
        place = self.path / "objects" / name[:2] / name[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(zlib.compress(whole))
        return name

    def blob(self, data: bytes) -> tuple[str, str]:
        return FILE, self.write("blob", data)

    def tree(self, entries: Mapping[bytes, tuple[str, str]]) -> tuple[str, str]:
        """Write a tree with (mode, object id) for each name, in the given order."""
        lines = [
            f"{mode} ".encode() + name + b"\0" + bytes.fromhex(object_id)
            for name, (mode, object_id) in entries.items()
        ]
        return TREE, self.write("tree", b"".join(lines))

    def commit(self, tree: tuple[str, str], person: str = "A <a@b.c> 1700000000 +0000") -> str:
        text = f"tree {tree[1]}\nauthor {person}\ncommitter {person}\n\nwork\n"
        commit = self.write("commit", text.encode())
        (self.path / "refs/heads/main").write_text(f"{commit}\n")
        return commit
