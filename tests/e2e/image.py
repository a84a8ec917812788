"""The image of the Dockerfile, built and run without Docker: its own steps, in a root directory of their own.

A mount namespace (unshare) shows a command the image's files at their places, the machine's /usr and /etc as the base
image, this Python as the base image's, and nothing else of the machine; so whatever the image lacks is missing.
"""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# $1: folder of the image's files; $2: this Python; $3: user; $4: read-only or not; $5: tmpfs mounts, path:options;
# $6: folders to share, folder:path; then the command.
_ENTER = """
set -eu
files=$1 python=$2 user=$3 mode=$4 mounts=$5 shared=$6; shift 6
root=$files/.root
mount -t tmpfs tmpfs "$root"
for name in usr etc dev proc; do mkdir -p "$root/$name"; mount --rbind "/$name" "$root/$name"; done
for name in bin sbin lib lib64; do [ ! -L "/$name" ] || cp -P "/$name" "$root/$name"; done
mkdir -p "$root/tmp" "$root/run" "$root$python"
chmod 1777 "$root/tmp"
mount --rbind "$python" "$root$python"
mount --rbind "$python" "$root/usr/local"
mkdir -p "$files/etc"
for name in etc/passwd etc/group; do
    [ -e "$files/$name" ] || cp "/$name" "$files/$name"
    mount --bind "$files/$name" "$root/$name"
done
for name in app opt data; do
    mkdir -p "$files/$name" "$root/$name"
    mount --bind "$files/$name" "$root/$name"
    [ "$mode" = writable ] || mount -o remount,bind,ro "$root/$name"
done
for mounted in $mounts; do
    mount -t tmpfs -o "${mounted#*:}" tmpfs "$root${mounted%%:*}"
done
for folder in $shared; do
    mkdir -p "$root${folder#*:}"
    mount --bind "${folder%%:*}" "$root${folder#*:}"
done
[ "$mode" = writable ] || mount -o remount,ro "$root"
exec chroot --userspec="$user" "$root" env -C /app "$@"
"""


@dataclass
class Stage:
    """What a stage of the Dockerfile does: its instructions, in order, as name and arguments."""

    instructions: list[tuple[str, str]] = field(default_factory=list)

    def last(self, name: str) -> str:
        """Return the arguments of the last instruction of that name."""
        return [arguments for instruction, arguments in self.instructions if instruction == name][-1]

    def environment(self) -> dict[str, str]:
        """Return the variables of the stage's ENV instructions."""
        words = [word for name, text in self.instructions if name == "ENV" for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)


def read_dockerfile(path: Path = ROOT / "Dockerfile") -> list[Stage]:
    """Return the stages of a Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[Stage] = []
    for line in filter(str.strip, text.splitlines()):
        name, _, arguments = line.partition(" ")
        if name == "FROM":
            stages.append(Stage())
        if stages:
            stages[-1].instructions.append((name, arguments.strip()))
    return stages


def context_files(root: Path = ROOT) -> list[Path]:
    """Return the files that .dockerignore lets into the build, relative to the root."""
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [Path(name) for name in tracked if (root / name).is_file() and _is_let_in(name, rules)]


def _is_let_in(name: str, rules: Sequence[str]) -> bool:
    # The last rule that a file or one of its folders matches decides: https://docs.docker.com/build/concepts/context/
    let_in = True
    parts = name.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    for rule in rules:
        pattern = rule.removeprefix("!")
        if any(_matches(path, pattern) for path in above):
            let_in = rule.startswith("!")
    return let_in


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


@dataclass
class Image:
    """The image's files in a folder, and how to run commands on them."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = "0:0"

    def command(
        self,
        arguments: Sequence[str],
        *,
        mode: str = "writable",
        mounts: Sequence[str] = (),
        shared: Sequence[str] = (),
    ) -> list[str]:
        """Return a command line that runs the arguments in the image; signals reach the command itself."""
        (self.folder / ".root").mkdir(parents=True, exist_ok=True)
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "enter"]
        return [
            *enter,
            str(self.folder),
            sys.base_prefix,
            self.user,
            mode,
            " ".join(mounts),
            " ".join(shared),
            *arguments,
        ]

    def build(self) -> None:
        """Carry out the first stage, then keep what the last stage takes of it."""
        first, last = read_dockerfile()
        base = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", **_package_index()}
        builder = Image(self.folder, {**base, "SOURCE_DATE_EPOCH": "0", **first.environment()})
        for name, arguments in first.instructions:
            builder.carry_out(name, arguments)
        path = last.environment()["PATH"].replace("$PATH", base["PATH"])
        self.environment = {**last.environment(), "PATH": path}
        self.user = last.last("USER")

    def carry_out(self, name: str, arguments: str) -> None:
        """Do what one instruction of a build stage says."""
        if name == "COPY":
            source, target = arguments.split()
            self._copy(source, self.folder / "app" / target)
        if name == "RUN":
            command = self.command(["sh", "-c", arguments])
            done = subprocess.run(command, env=dict(self.environment), check=False, capture_output=True, text=True)
            assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"

    def _copy(self, source: str, target: Path) -> None:
        for name in context_files():
            if source in {".", str(name)}:
                destination = target / name if source == "." else target
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, destination)


def _package_index() -> dict[str, str]:
    # Where packages come from, and which certificates to trust on the way: a matter of the machine, not of the image.
    wanted = re.compile(r"PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT|DEFAULT_TIMEOUT)|.*_PROXY|.*_proxy|SSL_CERT_(FILE|DIR)")
    return {name: value for name, value in os.environ.items() if wanted.fullmatch(name)}
