# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of any suite, unpacked beside the system.

Packages come through apt with lists of their own, so signatures are verified and nothing is
installed.  The mirror and its keys are those of the machine's own apt configuration.  What is
unpacked stays in the cache, keyed by version; a tree appears there whole or not at all.
"""

import contextlib
import fcntl
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

LIST_MAX_AGE = 24 * 3600


class ArchiveError(Exception):
    """A package cannot be had: no mirror, no such package, a failed download."""


def cache_root() -> pathlib.Path:
    """The folder of everything that can be made again."""
    configured = os.environ.get("KDUMPKIT_CACHE")
    if configured:
        return pathlib.Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "kdumpkit"


@contextlib.contextmanager
def locked(path: pathlib.Path):
    """Holds an exclusive lock on the file `path`, shared with other runs of the tests."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_tree(target: pathlib.Path, fill) -> pathlib.Path:
    """Returns the folder `target`; when absent, `fill(folder)` makes it, and it appears whole."""
    with locked(target.parent / f".{target.name}.lock"):
        if target.is_dir():
            return target
        unfinished = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            fill(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return target


def remove_old(folders, days: float = 2) -> None:
    """Removes those of the folders that nobody has touched for some days."""
    for folder in folders:
        if folder.is_dir() and time.time() - folder.stat().st_mtime > days * 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)


def run_quietly(argv, extra_environment=None, **options) -> str:
    """Runs a program and returns what it wrote; its errors are shown only when it fails."""
    # The locale is fixed because the output is parsed.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **(extra_environment or {})}
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          env=environment, check=False, **options)
    if done.returncode != 0:
        raise ArchiveError(f"'{argv[0]}' failed with status {done.returncode}: "
                           f"{(done.stderr or done.stdout).strip()}")
    return done.stdout


def parse_stanzas(text: str) -> list[dict[str, str]]:
    """Splits `Key: value` paragraphs, as apt prints them; continuation lines are dropped."""
    stanzas = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = (line.split(": ", 1) for line in paragraph.splitlines() if ": " in line[1:])
        stanzas.append({key: value for key, value in lines if not key.startswith(" ")})
    return stanzas


@functools.cache
def _mirror() -> str:
    """The address of the Debian mirror that the machine itself uses."""
    targets = parse_stanzas(run_quietly(["apt-get", "indextargets", "Created-By: Packages"]))
    for target in targets:
        if target.get("Label") == "Debian" and target.get("Component") == "main":
            return target["Repo-URI"].rstrip("/")
    # Before the first apt-get update there are no targets, but addresses to get them from.
    known = run_quietly(["apt-get", "update", "--print-uris"])
    found = re.search(r"^'(\S+/debian)/+dists/", known, re.MULTILINE)
    if found is None:
        raise ArchiveError("apt knows no Debian mirror: add one to '/etc/apt/sources.list'")
    return found.group(1)


def _keyring() -> str | None:
    """The Signed-By file of that mirror; None leaves it to the keys that apt trusts."""
    folder = pathlib.Path("/etc/apt")
    for source in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        text = source.read_text(encoding="utf-8", errors="replace") if source.is_file() else ""
        found = re.search(r"signed-by\s*[:=]\s*(/[^\s\]]+)", text, re.IGNORECASE)
        if found and re.search(rf"{re.escape(_mirror())}/?\s", text):
            return found.group(1)
    return None


class Suite:
    """One suite of the archive, e.g. Suite("trixie"), with package lists of its own."""

    def __init__(self, name: str):
        self.name = name
        self._root = cache_root() / "apt" / name
        self._updated = False

    def _options(self) -> list[str]:
        settings = {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self._root / "sources",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State::lists": self._root / "lists",
            "Dir::State::status": self._root / "status",
            "Dir::Cache": self._root / "cache",
            "APT::Sandbox::User": "root",
            "APT::Update::Post-Invoke": "",
            "APT::Update::Post-Invoke-Success": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def _run(self, program: str, *words: str, **options) -> str:
        return run_quietly([program, "-qq", *self._options(), *words], **options)

    def _write_sources(self) -> None:
        for folder in ("sources", "lists/partial", "cache/archives/partial"):
            (self._root / folder).mkdir(parents=True, exist_ok=True)
        (self._root / "status").touch()
        keyring = _keyring()
        lines = ["Types: deb", f"URIs: {_mirror()}", f"Suites: {self.name}",
                 "Components: main"] + ([f"Signed-By: {keyring}"] if keyring else [])
        sources = self._root / "sources" / "suite.sources"
        sources.write_text("\n".join(lines) + "\n", encoding="ascii")

    def update(self, force: bool = False) -> None:
        """Fetches the package lists when they are missing or older than a day."""
        stamp = self._root / "updated"
        with locked(self._root / "lock"):
            fresh = stamp.exists() and time.time() - stamp.stat().st_mtime < LIST_MAX_AGE
            if (fresh or self._updated) and not force:
                return
            self._write_sources()
            self._updated = True
            try:
                self._run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
            except ArchiveError:
                # Without network the lists of another day are good enough.
                if force or not stamp.exists():
                    raise
                return
            stamp.touch()

    def names(self, prefix: str) -> list[str]:
        """All package names that begin with `prefix`."""
        self.update()
        return sorted(self._run("apt-cache", "pkgnames", prefix).split())

    def describe(self, package: str) -> dict[str, str]:
        """The newest version's fields (Version, Depends, Size, ...) of a package."""
        self.update()
        stanzas = parse_stanzas(self._run("apt-cache", "show", "--no-all-versions", package))
        if not stanzas or "Version" not in stanzas[0]:
            raise ArchiveError(f"no package '{package}' in suite '{self.name}'")
        return stanzas[0]

    def versions(self, packages: list[str]) -> dict[str, str]:
        """The packages and all they depend on, as apt would install them on nothing."""
        self.update()
        plan = self._run("apt-get", "install", "--simulate", "--no-install-recommends", *packages)
        return dict(re.findall(r"^Inst (\S+) \((\S+)", plan, re.MULTILINE))

    def closure(self, package: str) -> list[str]:
        """The names of the package and of everything it depends on."""
        return list(self.versions([package]))

    def source_list(self) -> pathlib.Path:
        """A file in the form of apt's .sources that names the suite, its mirror and its keys."""
        self.update()
        return self._root / "sources" / "suite.sources"

    def download(self, packages: list[str], folder: pathlib.Path) -> list[pathlib.Path]:
        """Downloads packages into `folder`; apt checks each against the signed lists."""
        self.update()
        try:
            self._run("apt-get", "download", *packages, cwd=folder)
        except ArchiveError:
            # The lists may name a version that the mirror has replaced since.
            self.update(force=True)
            self._run("apt-get", "download", *packages, cwd=folder)
        return sorted(folder.glob("*.deb"))

    def unpacked(self, packages: list[str], key: str) -> pathlib.Path:
        """A cached folder named `key` into which all the packages were unpacked."""
        def fill(folder: pathlib.Path) -> None:
            with tempfile.TemporaryDirectory(dir=folder.parent) as debs:
                for deb in self.download(packages, pathlib.Path(debs)):
                    run_quietly(["dpkg", "-x", deb, folder])
        return make_tree(cache_root() / "trees" / key, fill)


@functools.cache
def suite(name: str) -> Suite:
    """The suite of that name; its lists are looked at once in a process."""
    return Suite(name)
