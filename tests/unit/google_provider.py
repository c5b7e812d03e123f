"""What Google's Terraform provider takes and tells, without the provider.

In: types of resources. Out: their arguments, blocks and attributes. Touches: npm, for one package by its name
and exact version, and a temporary folder.

Source: the types that HashiCorp generated for its Cloud Development Kit from the schema of provider 6.50.0,
the last one it did that for. What the provider judges beyond its schema, such as a name's pattern, is not in
them.
"""

import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "@cdktf/provider-google@16.12.1"
PROVIDER = "6.50.0"
PATIENCE_SECONDS = 120

_INTERFACE = re.compile(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"#(\w+)\}(?:(?!readonly).)*?readonly \w+(\??): (\w+|\{)", re.DOTALL)
_ATTRIBUTE = re.compile(r"^    get (\w+)(?<!Input)\(\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a resource or of a block in it; `block` is what it takes if it is a block itself."""

    required: bool
    block: "dict[str, Argument] | None"


@dataclass(frozen=True, slots=True)
class Resource:
    """What a type of resource takes, and what others may read of it."""

    arguments: dict[str, Argument]
    attributes: frozenset[str]


def resources(npm: str, types: set[str], folder: Path) -> dict[str, Resource]:
    """Return those of the types that the provider has; raises SubprocessError where npm fails."""
    command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    [archive] = folder.glob("*.tgz")
    members = {
        f"package/lib/{name.removeprefix('google_').replace('_', '-')}/index.d.ts": name for name in types
    }
    found = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            name = members.get(member.name)
            file = packed.extractfile(member) if name else None
            if name and file:
                found[name] = _read(file.read().decode())
    return found


def _read(types: str) -> Resource:
    interfaces = dict(_INTERFACE.findall(types))
    [top] = [name for name in interfaces if name.endswith("Config") and f"{name} extends" in types]

    def arguments(name: str) -> dict[str, Argument]:
        return {
            argument: Argument(not optional, arguments(kind) if kind in interfaces else None)
            for argument, optional, kind in _ARGUMENT.findall(interfaces[name])
        }

    attributes = _ATTRIBUTE.findall(types[types.rindex("export declare class ") :])
    return Resource(
        arguments(top),
        frozenset(re.sub(r"[A-Z]", lambda big: f"_{big[0].lower()}", name) for name in attributes),
    )
