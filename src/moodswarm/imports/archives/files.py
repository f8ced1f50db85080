"""The files of an archive, read within limits from a zip file or an unpacked folder."""

import codecs
import io
import os
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

MIB = 1024 * 1024
_ENCRYPTED = 0x1
# Text is seldom packed to less than a twentieth of its size; a zip bomb, to a thousandth.
_RATIO_COUNTS_FROM = MIB
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class ArchiveError(ValueError):
    """An archive, or one file in it, cannot be read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits on reading an archive.

    Attributes:
        files: Files in the archive, including photos and videos, which are listed but never read.
        file_bytes: Unpacked size of one file that is read.
        total_bytes: Unpacked size of all files that are read.
        ratio: Unpacked size of a file divided by its packed size.
        page_bytes: Size of one HTML page; low, since parsing takes many times as much memory.
    """

    files: int = 1_000_000
    file_bytes: int = 2_048 * MIB
    total_bytes: int = 8_192 * MIB
    ratio: int = 200
    page_bytes: int = 8 * MIB


class Archive(ABC):
    """The files of an archive, by name; used as a context manager."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        self.path = path
        self.limits = limits
        self._read = 0

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Sorted names of all files, with `/`; none is absolute or contains `..`."""

    @abstractmethod
    def _size(self, name: str) -> int:
        """Return a file's unpacked size in bytes, after the checks for this kind of archive."""

    @abstractmethod
    def _open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""

    @abstractmethod
    def close(self) -> None:
        """Close whatever is open."""

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def open(self, name: str, limit: int | None = None) -> Iterator[BinaryIO]:
        """Yield a stream of a file that is within `limit` (by default, the archive's own limit).

        Raises:
            ArchiveError: the file is too large, encrypted or broken, or can no longer be read.
                The error is also raised if reading fails later, inside the `with` block.
        """
        size, limit = self._size(name), limit or self.limits.file_bytes
        self._read += size
        if size > limit:
            raise ArchiveError(f"is {size / MIB:,.1f} MiB large, more than {limit / MIB:,.1f} MiB")
        if self._read > self.limits.total_bytes:
            total = self.limits.total_bytes / MIB
            raise ArchiveError(f"the files of the archive add up to more than {total:,.0f} MiB")
        try:
            with self._open(name) as stream:
                yield cast(BinaryIO, stream)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ArchiveError(f"is broken: {error}; download the archive again") from error
        except NotImplementedError as error:
            raise ArchiveError(f"{error}; unpack the archive and name its folder") from error
        except UnicodeDecodeError as error:
            encoding = error.encoding.upper()
            raise ArchiveError(
                f"not {encoding}: {error.reason} at byte {error.start + 1}"
            ) from error
        except OSError as error:
            raise ArchiveError(error.strerror or str(error)) from error

    @contextmanager
    def open_text(self, name: str) -> Iterator[io.TextIOWrapper]:
        """Yield a stream of text that keeps its line ends; limits and errors are those of `open`.

        The text is UTF-8, or UTF-16 if its byte order mark says so.
        """
        with self.open(name) as stream:
            beginning = cast(io.BufferedReader, stream).peek(2)[:2]
            encoding = "utf-16" if beginning in _UTF_16_MARKS else "utf-8-sig"
            text = io.TextIOWrapper(stream, encoding, newline="")
            try:
                yield text
            finally:
                text.detach()  # Otherwise it closes the stream when it is garbage-collected.

    def page(self, name: str) -> str:
        """Return the text of an HTML page.

        Raises:
            ArchiveError: for the same reasons as in `open`, or if the page is not UTF-8.
        """
        with self.open(name, self.limits.page_bytes) as stream:
            return stream.read().decode("utf-8-sig")


class ZipArchive(Archive):
    """A zip file."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            raise ArchiveError(
                f"is not a readable zip file ({error}); name the file as it was downloaded, or "
                "the folder that it was unpacked to"
            ) from error
        entries = self._zip.infolist()
        if len(entries) > limits.files:
            self.close()
            raise ArchiveError(f"holds {len(entries):,} files, more than {limits.files:,}")
        # Of two files with the same name, the last one counts, as it would after unpacking.
        self._entries = {info.filename: info for info in entries if not info.is_dir()}
        self._names = tuple(sorted(name for name in self._entries if _is_plain(name)))

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted names of all files."""
        return self._names

    def close(self) -> None:
        """Close the zip file."""
        self._zip.close()

    def _size(self, name: str) -> int:
        info = self._entries[name]
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError("is encrypted; unpack the archive and name its folder")
        # The declared size can be trusted, since `zipfile` never returns more bytes than that.
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > _RATIO_COUNTS_FROM and ratio > self.limits.ratio:
            raise ArchiveError(
                f"unpacks to {ratio:,.0f} times its size, more than {self.limits.ratio}; "
                "no export does that"
            )
        return info.file_size

    def _open(self, name: str) -> IO[bytes]:
        return self._zip.open(self._entries[name])


class FolderArchive(Archive):
    """A folder that an archive was unpacked to; symbolic links in it are left out."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        super().__init__(path, limits)
        found = []
        for folder, _, files in os.walk(path, followlinks=False):
            found += [Path(folder, file).relative_to(path).as_posix() for file in files]
            if len(found) > limits.files:
                raise ArchiveError(f"holds more than {limits.files:,} files")
        self._names = tuple(sorted(name for name in found if _is_plain(name)))

    @property
    def names(self) -> tuple[str, ...]:
        """Sorted names of all files."""
        return self._names

    def close(self) -> None:
        """Nothing stays open."""

    def _size(self, name: str) -> int:
        try:
            status = (self.path / name).lstat()
        except OSError as error:
            raise ArchiveError(error.strerror or str(error)) from error
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveError("is a link or a device, not a file")
        return status.st_size

    def _open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


def open_archive(path: Path, limits: ArchiveLimits) -> Archive:
    """Open a zip file or a folder.

    Raises:
        ArchiveError: the path is neither of the two, or is broken, or holds too many files.
    """
    try:
        return (FolderArchive if path.is_dir() else ZipArchive)(path, limits)
    except OSError as error:
        raise ArchiveError(error.strerror or str(error)) from error


def _is_plain(name: str) -> bool:
    """Tell whether a name stays inside the archive and is not of a file that macOS added."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and not (
        ".." in parts
        or parts[0].startswith("/")
        or parts[0] == "__MACOSX"
        or parts[-1].startswith("._")
    )
