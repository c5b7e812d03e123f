"""infra/gcp planned and applied by Terraform, with stand-ins for its providers: what its expressions make.

A stand-in makes up what Google would compute, and each such value says what it is.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from taskbell.settings import read_settings
from taskbell_local import page_build, places
from tests.stand_ins.terraform_command import Terraform
from tests.unit.gcp_folder import SECRETS, VARIABLES, copied

pytestmark = pytest.mark.slow

WITH_BACKSTOP = {**VARIABLES, "backstop_schedule": "* * * * *"}
ONCE = ("-no-color", "-input=false")


class Applied:
    """What Terraform wrote down of what it made."""

    def __init__(self, text: str) -> None:
        self.text = text
        state = json.loads(text)
        self.outputs = {name: output["value"] for name, output in state["outputs"].items()}
        self._resources = {
            (resource["type"], resource["name"], instance.get("index_key")): instance["attributes"]
            for resource in state["resources"]
            for instance in resource["instances"]
        }

    def one(self, kind: str, name: str, key: str | int | None = None) -> dict[str, Any]:
        attributes: dict[str, Any] = self._resources[kind, name, key]
        return attributes

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [attributes for (of, _, _), attributes in self._resources.items() if of == kind]

    def environment(self, function: str) -> dict[str, str]:
        """Return what a function finds in its environment, with secrets where they are referred to."""
        held = {f"taskbell-{name.lower().replace('_', '-')}": secret for name, secret in SECRETS.items()}
        [template] = self.one("google_cloud_run_v2_service", "function", function)["template"]
        return {
            env["name"]: held[env["value_source"][0]["secret_key_ref"][0]["secret"]]
            if env["value_source"]
            else env["value"]
            for env in template["containers"][0]["env"]
        }


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    page_build.build(places.WEB, folder / ".taskbell" / "page")
    copied(folder)
    return folder


@pytest.fixture(scope="module")
def applied(terraform: Terraform, checkout: Path) -> Applied:
    gcp = checkout / "infra" / "gcp"
    done = terraform.run(gcp, "apply", *ONCE, "-auto-approve", variables=WITH_BACKSTOP)
    assert done.returncode == 0, done.stderr
    return Applied((gcp / "terraform.tfstate").read_text())


def test_the_plan_holds_no_secret_and_no_scheduler_that_was_not_asked_for(
    terraform: Terraform, checkout: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan"
    done = terraform.run(checkout / "infra/gcp", "plan", *ONCE, f"-out={plan}", variables=VARIABLES)
    assert done.returncode == 0, done.stderr
    assert "google_secret_manager_secret_version.setting" in done.stdout
    assert "google_cloud_scheduler_job" not in done.stdout
    with zipfile.ZipFile(plan) as parts:
        written = b"".join(parts.read(name) for name in parts.namelist())
    assert VARIABLES["domain"].encode() in written
    assert [] == [name for name, secret in SECRETS.items() if secret.encode() in written]


def test_the_state_holds_no_secret(applied: Applied) -> None:
    versions = applied.all("google_secret_manager_secret_version")
    assert len(SECRETS) == len(versions)
    assert [] == [name for name, secret in SECRETS.items() if secret in applied.text]


@pytest.mark.parametrize("function", ["api", "sweep", "webhook"])
def test_each_function_starts_with_what_it_is_given_and_as_itself(applied: Applied, function: str) -> None:
    settings = read_settings(applied.environment(function))
    assert ("https://bell.example.com", VARIABLES["supabase_url"]) == (
        settings.public_url,
        settings.supabase_url,
    )
    [template] = applied.one("google_cloud_run_v2_service", "function", function)["template"]
    assert f"taskbell-{function}" == template["service_account"].partition("@")[0]


def test_the_page_and_its_api_have_one_address(applied: Applied) -> None:
    [matcher] = applied.one("google_compute_url_map", "page")["path_matcher"]
    assert {"/v1/*": "api", "/webhook": "webhook"} == {
        path: rule["service"].removeprefix("id of taskbell-")
        for rule in matcher["path_rule"]
        for path in rule["paths"]
    }
    assert "id of taskbell-page" == matcher["default_service"]
    rules = applied.all("google_compute_global_forwarding_rule")
    assert {"443", "80"} == {rule["port_range"] for rule in rules}
    assert {applied.outputs["page_ip_address"]} == {rule["ip_address"] for rule in rules}


def test_the_sweep_believes_who_calls_it(applied: Applied) -> None:
    [target] = applied.one("google_cloud_scheduler_job", "sweep", 0)["http_target"]
    [token] = target["oidc_token"]
    sweep = applied.environment("sweep")
    assert (f"{sweep['PUBLIC_URL']}/sweep", sweep["SWEEP_CALLER"]) == (
        token["audience"],
        token["service_account_email"],
    )
    assert applied.outputs["sweep_url"] == target["uri"] == "uri of taskbell-sweep/sweep"


def test_the_outputs_name_the_webhook_to_the_database(applied: Applied) -> None:
    assert "uri of taskbell-webhook/webhook" == applied.outputs["webhook_url"]
    assert applied.outputs["vault_command"].endswith(f" --webhook {applied.outputs['webhook_url']}")


def test_every_file_of_the_built_page_is_served(applied: Applied, checkout: Path) -> None:
    page = checkout / ".taskbell" / "page"
    files = {file.relative_to(page).as_posix() for file in page.rglob("*") if file.is_file()}
    served = [each for each in applied.all("google_storage_bucket_object") if "page" in each["bucket"]]
    assert files == {each["name"] for each in served}
    assert [] == [each["name"] for each in served if each["content_type"] == "application/octet-stream"]


def test_without_a_built_page_nothing_is_planned(terraform: Terraform, gcp: Path) -> None:
    done = terraform.run(gcp, "plan", *ONCE, variables=VARIABLES)
    assert (1, True) == (done.returncode, "Build the page first" in done.stderr), done.stderr


def test_a_wrong_domain_and_a_secret_key_for_the_page_are_refused(terraform: Terraform, gcp: Path) -> None:
    wrong = {"domain": "https://bell.example.com/", "supabase_publishable_key": "sb_secret_hidden"}
    done = terraform.run(gcp, "plan", *ONCE, variables={**VARIABLES, **wrong})
    assert 1 == done.returncode
    for words in ("A host alone", "This is a secret key"):
        assert words in done.stderr
