"""Java, Maven and the launching of one Java source file with the jars that Maven fetched."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engines import downloads, places
from engines.engine import Engine, Launch, Site
from engines.errors import EngineMissingError

OLDEST: Final = 17
FETCH_TIMEOUT_SECONDS: Final = 900
_RESOURCES = Path(__file__).parent / "java"


def _homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if found := shutil.which("java"):
        yield Path(found).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob("*-[1-9][0-9]-*"))


def major_version(home: Path) -> int:
    """Return the version of the Java in this folder, 8 for the 1.8 of old; 0 if there is none."""
    try:
        said = (home / "release").read_text()
    except OSError:
        return 0
    match = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', said)
    return int(match.group(1)) if match and (home / "bin" / "java").exists() else 0


def _can_launch(home: Path) -> bool:
    # Launching a source file takes the compiler, which a JRE does not have.
    return major_version(home) >= OLDEST and (home / "bin" / "javac").exists()


def find_java() -> Path | None:
    """Return the ``java`` to use: that of JAVA_HOME, of the path, or another one of the system that is able."""
    return next((home / "bin" / "java" for home in _homes() if _can_launch(home)), None)


def why_no_java() -> str | None:
    """Return what is missing of Java, and how to get it."""
    if find_java() is not None:
        return None
    newest = max((major_version(home) for home in _homes()), default=0)
    install = f"install a JDK of version {OLDEST} or newer (Debian: default-jdk-headless)"
    if newest == 0:
        return f"no Java on this machine; {install}"
    if newest < OLDEST:
        return f"Java {newest} is too old; {install} or name one in JAVA_HOME"
    return f"Java {newest} is here without its compiler; {install}"


class JavaEngine(Engine):
    """An engine of jars: a ``pom.xml`` names them, and a source file of the project starts them."""

    source: str
    release: str

    @property
    def _folder(self) -> Path:
        return _RESOURCES / self.name

    @property
    def _key(self) -> str:
        return downloads.key(f"{self.name}-{self.release}", self._folder / "pom.xml")

    def why_missing(self) -> str | None:
        """Java, or Maven where the jars are not there yet."""
        if downloads.find(self._key) is None and shutil.which("mvn") is None:
            return why_no_java() or "no Maven on this machine to fetch it; install the package maven"
        return why_no_java()

    def version(self) -> str:
        """As the pom names it."""
        return self.release

    def fetch(self) -> None:
        """Fetch the jars by Maven, with the machine's settings of it."""
        downloads.fetch(self._key, self._copy_jars)

    def _copy_jars(self, place: Path) -> None:
        mvn = shutil.which("mvn")
        if mvn is None:
            raise EngineMissingError(self.product, "Maven is not on this machine.", "install the package maven.")
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={place}"]
        pom = self._folder / "pom.xml"
        # One at a time: two that fill the same local repository may read each other's half-written files.
        with downloads.locked(places.folder("downloads") / "maven.lock"):
            said = subprocess.run(
                [mvn, "--batch-mode", "--quiet", "--strict-checksums", "--file", pom, *goal],
                check=False,
                capture_output=True,
                text=True,
                timeout=FETCH_TIMEOUT_SECONDS,
            )
        if said.returncode:
            raise EngineMissingError(
                self.product, f"its jars could not be fetched. {_last_error(said.stdout)}", _NETWORK
            )

    def launch_java(self, site: Site, heap: str, *arguments: str) -> Launch:
        """Return the launch of the engine's source file."""
        java, jars = find_java(), downloads.find(self._key)
        if java is None or jars is None:
            raise EngineMissingError(self.product, "it is not fetched.", "python -m engines fetch")
        # A server of tests lives shortly: the optimizing compiler would cost it half its start and pay nothing back.
        haste = [] if site.lasting else ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        places = [f"-Djava.io.tmpdir={site.home}", f"-Djava.library.path={jars}", "-cp", f"{jars}/*"]
        options = [*haste, f"-Xmx{heap}", *places]
        command: tuple[str | Path, ...] = (java, *options, self._folder / self.source, *arguments)
        # Nothing to save: nobody reads the data of a run again.
        return Launch(command, stop_signal="TERM" if site.lasting else "KILL")

    def prepare(self, site: Site) -> None:
        """Make the data folder."""
        site.data.mkdir(exist_ok=True)


_NETWORK = "make sure that Maven's repository can be reached (mvn reads ~/.m2/settings.xml), then start again."


def _last_error(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith("[ERROR]")]
    return lines[0].removeprefix("[ERROR]").strip() if lines else said.strip()[-500:]
