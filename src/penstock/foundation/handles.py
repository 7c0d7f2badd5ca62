"""Directories held open: what is opened, moved or removed through one lies below it, and no link leads elsewhere.

A path is looked up anew each time that it is used. Anything that may write to one of its directories, a model or a
repository's own check, can put a link in the place of a part of it between two uses. A handle names the directory
itself, wherever that is by then, and from it every part is opened on its own, links never followed (``openat`` with
``O_NOFOLLOW``). Nothing is waited for either: a pipe, socket or device is refused before it is opened.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4095
"""Linux's limits; a longer name or path cannot be a file's."""
MAX_DEPTH = 200
"""Folders in folders. Each one that is open takes a descriptor, and nothing honest is that deep."""
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotPlainError(OSError):
    """What stands at a path is not what was asked for; the text says what it is."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EINVAL, what)


def kind_of(mode: int) -> str:
    """``a symbolic link``, ``a socket`` and so on; ``a file`` of a regular one."""
    return _KINDS.get(stat.S_IFMT(mode), "a file")


def in_words(error: OSError) -> str:
    """What is wrong with a path, without the path: ``it is a socket``, ``permission denied``."""
    return str(error.strerror or error).lower() if not isinstance(error, NotPlainError) else str(error.strerror)


class Folder:
    """A handle of a directory. Use as a context manager, or close it.

    All paths given to it are relative, with ``/`` between parts, none of which is empty, ``.`` or ``..``.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def at(cls, path: Path) -> Folder:
        """Open a directory by a path that is ours: links on it are followed.

        Raises:
            OSError: there is none, or it cannot be read.
        """
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the handle back. Safe to call twice."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def folder(self, relative: str) -> Folder:
        """A handle of a directory below this one.

        Raises:
            NotPlainError: a part of the path is a link or no directory.
            OSError: there is none, or it may not be read.
        """
        with self._reached(_parts(relative)) as reached:
            return Folder(os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=reached))

    def stat(self, relative: str) -> os.stat_result:
        """Facts about what stands at a path, a link itself if it is one."""
        *above, name = _parts(relative)
        with self._reached(above) as reached:
            return os.stat(name, dir_fd=reached, follow_symlinks=False)

    def open(self, relative: str) -> BinaryIO:
        """Open a regular file for reading.

        Raises:
            NotPlainError: a part of the path is a link, or what stands there is no regular file.
            OSError: there is none, or it may not be read.
        """
        *above, name = _parts(relative)
        with self._reached(above) as reached:
            _require_regular(name, os.stat(name, dir_fd=reached, follow_symlinks=False).st_mode)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=reached)
        try:
            _require_regular(name, os.fstat(descriptor).st_mode)  # it may have been changed meanwhile
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise

    @contextlib.contextmanager
    def _reached(self, parts: list[str]) -> Iterator[int]:
        """A descriptor of the directory at a path, good for looking up names in it; it need not be readable."""
        current = os.dup(self.descriptor)
        try:
            for part in parts:
                mode = os.stat(part, dir_fd=current, follow_symlinks=False).st_mode
                if not stat.S_ISDIR(mode):
                    raise NotPlainError(f"'{part}' is {kind_of(mode)}")
                following = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
                os.close(current)
                current = following
            yield current
        finally:
            os.close(current)

    def make(self, name: str, mode: int = 0o700) -> Folder:
        """Make a directory here, and return its handle.

        Raises:
            FileExistsError: something has that name.
        """
        os.mkdir(name, mode, dir_fd=self.descriptor)
        return self.folder(name)

    def move(self, name: str, target: Folder, new_name: str) -> None:
        """Rename an entry of this directory to one of ``target``, which replaces a file that is there."""
        os.rename(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=target.descriptor)

    def names(self) -> list[str]:
        """Names of all entries, sorted."""
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 (a handle has no path)

    def walk(self, *, skip: frozenset[str] = frozenset()) -> Iterator[tuple[str, os.stat_result]]:
        """All entries below but directories, as relative path and facts, in the order of names, folder by folder.

        Args:
            skip: names that are passed over wherever they stand.

        Raises:
            NotPlainError: folders are nested deeper than :data:`MAX_DEPTH`.
            OSError: a directory may not be read; ``filename`` is its relative path.
        """
        todo: list[tuple[Folder, str, list[str]]] = [(self, "", self.names()[::-1])]
        try:
            while todo:
                folder, prefix, names = todo[-1]
                if not names:
                    todo.pop()
                    if folder is not self:
                        folder.close()
                    continue
                name = names.pop()
                if name in skip:
                    continue
                try:
                    facts = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
                except FileNotFoundError:
                    continue  # removed since the folder was listed
                if not stat.S_ISDIR(facts.st_mode):
                    yield f"{prefix}{name}", facts
                    continue
                if len(todo) > MAX_DEPTH:
                    raise NotPlainError(f"folders are nested deeper than {MAX_DEPTH}")
                todo.append((_entered(folder, name, prefix), f"{prefix}{name}/", []))
                todo[-1][2].extend(todo[-1][0].names()[::-1])
        finally:
            for folder, _, _ in todo:
                if folder is not self:
                    folder.close()

    def remove(self, name: str) -> None:
        """Remove whatever has that name here, with all that is in it; no link is followed, nothing else touched.

        Directories that their owner may not read are opened up first. However deep they are nested, a handful of
        descriptors is enough: what lies deeper is moved up before it is removed.

        Raises:
            OSError: something cannot be removed: it is another user's, say, or immutable.
        """
        try:
            mode = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            os.unlink(name, dir_fd=self.descriptor)
            return
        with self.opened_up(name) as top:
            while names := top.names():
                for entry in names:
                    top._remove_flat(entry)
        os.rmdir(name, dir_fd=self.descriptor)

    def _remove_flat(self, entry: str) -> None:
        """Remove an entry; directories that it holds become entries of this one."""
        if not stat.S_ISDIR(os.stat(entry, dir_fd=self.descriptor, follow_symlinks=False).st_mode):
            os.unlink(entry, dir_fd=self.descriptor)
            return
        with self.opened_up(entry) as folder:
            for name in folder.names():
                if stat.S_ISDIR(os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False).st_mode):
                    folder.opened_up(name).close()  # a directory that is moved is written to: its '..' changes
                    folder.move(name, self, f".removed-{os.urandom(8).hex()}")
                else:
                    os.unlink(name, dir_fd=folder.descriptor)
        os.rmdir(entry, dir_fd=self.descriptor)

    def opened_up(self, name: str) -> Folder:
        """A handle of a directory here that its owner may read, write and enter from now on."""
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=self.descriptor)
        try:
            if os.fstat(descriptor).st_mode & 0o700 != 0o700:
                os.chmod(f"/proc/self/fd/{descriptor}", 0o700)  # noqa: PTH101 (a handle of this kind has no fchmod)
        finally:
            os.close(descriptor)
        return self.folder(name)


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file by an absolute path none of whose parts is a link, such as one from ``files.inside``.

    Raises:
        NotPlainError: a part of the path is a link by now, or what stands there is no regular file.
        OSError: there is none, or it may not be read.
    """
    with Folder.at(Path("/")) as root:
        return root.open(path.relative_to("/").as_posix())


def remove_tree(path: Path) -> None:
    """Remove whatever stands at ``path``; see :meth:`Folder.remove`. Nothing there is no error.

    Raises:
        OSError: something cannot be removed.
    """
    with contextlib.suppress(FileNotFoundError), Folder.at(path.parent) as parent:
        parent.remove(path.name)


def discard_tree(path: Path) -> None:
    """Remove what can be removed of whatever stands at ``path``: for what nobody will use again."""
    with contextlib.suppress(OSError):
        remove_tree(path)


def _entered(folder: Folder, name: str, prefix: str) -> Folder:
    try:
        return folder.folder(name)
    except OSError as error:
        error.filename = f"{prefix}{name}"
        raise


def _require_regular(name: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotPlainError(f"'{name}' is {kind_of(mode)}")


def _parts(relative: str) -> list[str]:
    """The parts of a relative path.

    Raises:
        NotPlainError: it is too long, or leads up.
    """
    if len(os.fsencode(relative)) > MAX_PATH_BYTES:
        raise NotPlainError(f"the path is longer than {MAX_PATH_BYTES} bytes")
    parts = list(PurePosixPath(relative).parts)
    if any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in parts):
        raise NotPlainError(f"a name is longer than {MAX_NAME_BYTES} bytes")
    if any(part in ("..", "/") or "\0" in part for part in parts):
        raise NotPlainError("the path leads elsewhere")
    return parts
