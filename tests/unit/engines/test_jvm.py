from pathlib import Path

import pytest

from engines import downloads, jvm
from engines.dynamodb import DynamoDBLocal
from engines.errors import EngineMissingError


def _java(home: Path, version: str, *programs: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    for program in ("java", *programs):
        (home / "bin" / program).touch()
    return home


def _machine_with(monkeypatch: pytest.MonkeyPatch, *homes: Path) -> None:
    monkeypatch.setattr(jvm, "_homes", lambda: iter(homes))


@pytest.mark.parametrize(("said", "major"), [("17.0.15", 17), ("1.8.0_412", 8), ("25", 25)])
def test_reads_the_major_version(tmp_path: Path, said: str, major: int) -> None:
    assert jvm.major_version(_java(tmp_path / "jdk", said)) == major


def test_takes_the_first_java_that_is_new_enough_and_has_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, jre = _java(tmp_path / "11", "11.0.2", "javac"), _java(tmp_path / "jre", "21.0.1")
    able = _java(tmp_path / "17", "17.0.1", "javac")
    _machine_with(monkeypatch, old, jre, able)
    assert jvm.find_java() == able / "bin" / "java"
    assert jvm.why_no_java() is None


def test_says_that_there_is_no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with(monkeypatch)
    assert str(jvm.why_no_java()).startswith("no Java on this machine; install a JDK")


def test_says_that_java_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with(monkeypatch, _java(tmp_path / "11", "11.0.2", "javac"))
    assert str(jvm.why_no_java()).startswith("Java 11 is too old; install a JDK of version 17 or newer")


def test_says_that_the_compiler_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with(monkeypatch, _java(tmp_path / "21", "21.0.2"))
    assert str(jvm.why_no_java()).startswith("Java 21 is here without its compiler; install")


def test_asks_for_maven_only_where_the_jars_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _machine_with(monkeypatch, _java(tmp_path / "17", "17.0.1", "javac"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(downloads, "find", lambda _: None)
    assert "maven" in str(DynamoDBLocal().why_missing())
    monkeypatch.setattr(downloads, "find", lambda _: tmp_path)
    assert DynamoDBLocal().why_missing() is None


def test_says_what_maven_said_when_it_could_not_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mvn = tmp_path / "mvn"
    mvn.write_text("#!/bin/sh\necho '[ERROR] Could not transfer artifact: Unknown host'\nexit 1\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(EngineMissingError, match=r"Unknown host Next: make sure that Maven's repository"):
        DynamoDBLocal()._copy_jars(tmp_path)
