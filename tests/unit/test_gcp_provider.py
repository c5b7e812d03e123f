"""infra/gcp against the schema of Google's provider, as `terraform validate` would hold it against that."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.google_provider import PACKAGE, PROVIDER, Argument, Resource, resources
from tests.unit.test_gcp_terraform import RESOURCES, TERRAFORM, TEXT

pytestmark = pytest.mark.slow

OF_TERRAFORM_ITSELF = {"count", "depends_on", "for_each", "lifecycle", "provider"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resource]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: infra/gcp was not held against the provider's schema")
    try:
        return resources(npm, set(RESOURCES), tmp_path_factory.mktemp("provider"))
    except subprocess.SubprocessError as error:
        pytest.skip(
            f"npm could not get {PACKAGE} ({type(error).__name__}): infra/gcp was not held against it"
        )


def objections(place: str, body: dict[str, Any], arguments: dict[str, Argument]) -> Iterator[str]:
    """Say what the provider would refuse in a block and in the blocks within it."""
    blocks = [(name, block) for name in body if name != "dynamic" for block in _blocks(body[name])]
    made = [(name, one["content"][0]) for each in body.get("dynamic", []) for name, one in each.items()]
    given = set(body) - {"dynamic"} | {name for name, _ in made}
    yield from (f"{place}: no argument {name}" for name in sorted(given - set(arguments)))
    required = {name for name, argument in arguments.items() if argument.required}
    yield from (f"{place}: {name} is missing" for name in sorted(required - given))
    for name, block in blocks + made:
        if name in arguments and (inner := arguments[name].block) is not None:
            yield from objections(f"{place}.{name}", block, inner)


def _blocks(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def all_objections(kinds: dict[str, Any], provider: dict[str, Resource]) -> list[str]:
    return [
        objection
        for kind, bodies in kinds.items()
        for name, body in bodies.items()
        for objection in objections(
            f"{kind}.{name}",
            {argument: value for argument, value in body.items() if argument not in OF_TERRAFORM_ITSELF},
            provider[kind].arguments,
        )
    ]


def test_the_provider_has_every_type_of_resource(provider: dict[str, Resource]) -> None:
    assert set(RESOURCES) == set(provider)


def test_every_argument_is_one_of_the_providers_and_none_that_it_requires_is_missing(
    provider: dict[str, Resource],
) -> None:
    assert [] == all_objections(RESOURCES, provider)


def test_an_argument_too_many_and_one_too_few_are_found(provider: dict[str, Resource]) -> None:
    service = {**RESOURCES["google_cloud_run_v2_service"]["function"], "memory": "1Gi"}
    service["template"] = [{**service["template"][0], "scaling": [{"max_instances": 3}]}]
    del service["location"]
    assert [
        "google_cloud_run_v2_service.function: no argument memory",
        "google_cloud_run_v2_service.function: location is missing",
        "google_cloud_run_v2_service.function.template.scaling: no argument max_instances",
    ] == all_objections({"google_cloud_run_v2_service": {"function": service}}, provider)


def test_every_attribute_that_is_read_of_a_resource_is_one_that_it_has(provider: dict[str, Resource]) -> None:
    read = set(re.findall(r"(google_\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)", TEXT))
    assert read, "resources refer to each other"
    assert [] == sorted(
        f"{kind}.{name}.{attribute}"
        for kind, name, attribute in read
        if name not in RESOURCES[kind] or attribute not in provider[kind].attributes
    )


def test_the_version_that_was_asked_is_the_least_that_may_be_installed() -> None:
    [version] = [one["google"]["version"] for one in TERRAFORM["terraform"]["required_providers"]]
    assert f"~> {PROVIDER.rpartition('.')[0]}" == version
