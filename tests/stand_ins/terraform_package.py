"""A Terraform provider's schema, read where the provider itself is not to be had.

In: the package of types that HashiCorp generated from that schema for its Cloud Development Kit. Out: the
schema. Touches: npm, for one package by its name and exact version, and a folder.

Each script of such a package carries its TypeScript source in its source map, and there every argument and
attribute stands with its type, and with who gives it: the user, the provider or both. Not to be had there:
limits to a block's repetition other than one, what is deprecated, the blocks in the provider's own
configuration, and what a provider judges in code, such as a name's pattern. An argument is write-only if its
name says so.
"""

import base64
import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.stand_ins.terraform_schema import Attribute, Block, Body, Nesting, Schema

PATIENCE_SECONDS = 120
TYPES = {"boolean": "bool", "number": "number", "string": "string"}

_CLASS = re.compile(r"^export class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(
    r"^  // (?P<name>\w+) - "
    r"computed: (?P<computed>\w+), optional: (?P<optional>\w+), required: (?P<required>\w+)\n"
    r"(?P<code>(?:(?!^  // \w+ - computed).)*)",
    re.MULTILINE | re.DOTALL,
)
_INNER = re.compile(r'= new (?P<name>\w+?)(?P<kind>OutputReference|List)\(this, "\w+"(?:, (?P<set>\w+))?\)')
_TOLD = re.compile(
    r"\bget(?P<of>String|Number|Boolean)?(?P<many>List|Map)?Attribute\(|new cdktf\.StringMap\("
)
_GIVEN = re.compile(r"private _\w+\??: (?:(?P<of>string|number|boolean)\b(?P<many>\[\])?|\{ \[key)")


def fetch(npm: str, package: str, resources: set[str], data_sources: set[str], folder: Path) -> Schema:
    """Return a provider's schema with those resources and data sources that it has.

    Raises SubprocessError where npm fails.
    """
    command = [npm, "pack", package, "--silent", "--prefer-offline", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    wanted = {
        "provider": ("provider", ""),
        **{_folder(name): ("resources", name) for name in resources},
        **{f"data-{name.replace('_', '-')}": ("data_sources", name) for name in data_sources},
    }
    schema = Schema(version="", provider=Body(attributes=[], blocks=[]), resources={}, data_sources={})
    with tarfile.open(folder / done.stdout.decode().split()[-1]) as archive:
        for member in archive:
            found = re.fullmatch(r"package/lib/([\w-]+)/index\.js", member.name)
            file = archive.extractfile(member) if found and found[1] in wanted else None
            if found is None or file is None:
                continue
            source = _source(file.read())
            match wanted[found[1]]:
                case "resources", name:
                    schema["resources"][name] = read(source)
                case "data_sources", name:
                    schema["data_sources"][name] = read(source)
                case _:
                    schema["provider"] = read(source)
                    [schema["version"]] = re.findall(r"providerVersion: '([\d.]+)'", source)
    return schema


def _folder(resource: str) -> str:
    return resource.partition("_")[2].replace("_", "-")


def _source(script: bytes) -> str:
    [source] = json.loads(base64.b64decode(script.rpartition(b"base64,")[2]))["sourcesContent"]
    return str(source)


def read(source: str) -> Body:
    """Return what the provider, resource or data source of a file takes and tells."""
    classes = {name: (base, code) for name, base, code in _CLASS.findall(source)}
    [top] = [name for name, (base, _) in classes.items() if base.startswith("Terraform")]
    return _body(top, {name: code for name, (_, code) in classes.items()})


def _body(name: str, classes: dict[str, str]) -> Body:
    body = Body(attributes=[], blocks=[])
    for member in _MEMBER.finditer(classes[name]):
        inner = _INNER.search(member["code"])
        if inner is None:
            if (simple := _simple(member["code"])) is not None:
                body["attributes"].append(_attribute(member, simple))
            continue
        within = _body(f"{inner['name']}OutputReference", classes)
        nesting: Nesting = "set" if inner["set"] == "true" else "list"
        if member["computed"] == "true":
            fields = {each["name"]: each["type"] for each in within["attributes"]}
            body["attributes"].append(_attribute(member, [nesting, ["object", fields]]))
        else:
            body["blocks"].append(_block(member, inner, nesting, within))
    return body


def _attribute(member: re.Match[str], type_: Any) -> Attribute:
    return Attribute(
        name=member["name"],
        type=type_,
        required=member["required"] == "true",
        optional=member["optional"] == "true",
        computed=member["computed"] == "true",
        write_only=member["name"].endswith("_wo"),
    )


def _block(member: re.Match[str], inner: re.Match[str], nesting: Nesting, within: Body) -> Block:
    once = inner["kind"] == "OutputReference"
    if member["name"] == "timeouts":
        return Block(name="timeouts", nesting="single", least=0, most=0, body=within)
    least = int(member["required"] == "true")
    return Block(name=member["name"], nesting=nesting, least=least, most=int(once), body=within)


def _simple(code: str) -> Any:
    """Return the type of an attribute that has no parts; None for a block in a provider's configuration."""
    found = _TOLD.search(code) or _GIVEN.search(code)
    if found is None:
        return None
    of = TYPES[(found["of"] or "string").lower()]
    if "Map(" in found[0] or "[key" in found[0] or found["many"] == "Map":
        return ["map", of]
    if found["many"]:
        return ["set" if "tolist(" in code else "list", of]
    return of
