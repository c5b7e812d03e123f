"""infra/gcp held against the schemas of its providers by `terraform validate`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stand_ins.terraform_command import Terraform

pytestmark = pytest.mark.slow

# File, what is written there, what instead, and Terraform's words: what it finds first, and what it finds
# once all of that is right.
OF_STRUCTURE = [
    ("load_balancer.tf", "domains = [var.domain]", "", "Missing required argument", '"domains"'),
    ("page.tf", "website {", "website {}\n  website {", "Too many website blocks", "No more than 1"),
    ("scheduler.tf", "_job", "_task", "Invalid resource type", '"google_cloud_scheduler_task"'),
    ("secrets.tf", "replication {\n    auto {}\n  }", "", "Insufficient replication blocks", "At least 1"),
    ("service_accounts.tf", "build.mem", "maker.mem", "Reference to undeclared resource", '"maker"'),
    ("source.tf", "var.region", "var.place", "Reference to undeclared input variable", '"place"'),
]
OF_VALUES = [
    ("load_balancer.tf", "enable_cdn  ", "enable_cdn = 7 #", "Incorrect attribute value type", "bool"),
    ("load_balancer.tf", "https_redirect ", "redirect ", "Unsupported argument", '"redirect"'),
    ("page.tf", "page.name", "page.title", "Unsupported attribute", '"title"'),
    ("secrets.tf", "secret_data_wo  ", "secret_data  ", "Invalid use of ephemeral value", '"secret_data"'),
]


def test_terraform_finds_nothing_to_object_to(terraform: Terraform, gcp: Path) -> None:
    assert [] == terraform.validate(gcp)


@pytest.mark.parametrize("mistakes", [OF_STRUCTURE, OF_VALUES], ids=["structure", "values"])
def test_each_mistake_is_refused_with_its_name(
    terraform: Terraform, gcp: Path, mistakes: list[tuple[str, str, str, str, str]]
) -> None:
    for file, written, instead, _, _ in mistakes:
        text = (gcp / file).read_text()
        assert written in text
        (gcp / file).write_text(text.replace(written, instead, 1))
    found = terraform.validate(gcp)
    assert [(file, summary) for file, _, _, summary, _ in mistakes] == [
        (each.file, each.summary) for each in found
    ]
    assert [] == [
        detail for (*_, detail), each in zip(mistakes, found, strict=True) if detail not in each.detail
    ]


def test_the_schemas_are_those_of_the_least_versions_that_may_be_installed(
    terraform: Terraform, gcp: Path
) -> None:
    required = re.findall(
        r'source  = "hashicorp/(\w+)"\n +version = "~> (.+)"', (gcp / "versions.tf").read_text()
    )
    assert dict(required) == {
        name: version.rpartition(".")[0] for name, version in terraform.versions.items()
    }
