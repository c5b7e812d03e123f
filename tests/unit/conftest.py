"""What stories about infra/gcp may ask for: Terraform with stand-ins for providers, and a copy to change."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stand_ins import terraform_package
from tests.stand_ins.terraform_command import Terraform
from tests.unit.gcp_folder import GCP, copied

# The last ones that there will be: HashiCorp makes no more of them.
PACKAGES = {"archive": "@cdktf/provider-archive@11.0.1", "google": "@cdktf/provider-google@16.12.1"}


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Give Terraform, with the schemas of those resources and data sources that infra/gcp has."""
    program, npm = shutil.which("terraform"), shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("terraform or npm is missing: infra/gcp was not shown to Terraform")
    text = "\n".join(file.read_text() for file in GCP.glob("*.tf"))
    types = {kind: set(re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE)) for kind in ("resource", "data")}
    folder = tmp_path_factory.mktemp("providers")
    try:
        schemas = {
            name: terraform_package.fetch(npm, package, types["resource"], types["data"], folder)
            for name, package in PACKAGES.items()
        }
    except subprocess.SubprocessError as error:
        pytest.skip(f"npm got no schema ({type(error).__name__}): infra/gcp was not shown to Terraform")
    return Terraform(program, folder, schemas)


@pytest.fixture
def gcp(tmp_path: Path) -> Path:
    """Give a copy of infra/gcp that may be changed, in a checkout without a built page."""
    return copied(tmp_path)
