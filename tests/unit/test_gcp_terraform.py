"""What infra/gcp says, read as Terraform reads it: settings, secrets, who may call what."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from taskbell.errors import SettingsError
from taskbell.settings import read_settings
from taskbell_local import page_build, places
from taskbell_local.page_files import ASK_AGAIN, FOREVER

hcl2 = pytest.importorskip("hcl2", reason="python-hcl2 is missing: infra/gcp is not checked")

ROOT = Path(__file__).parents[2]
GCP = ROOT / "infra" / "gcp"
FILES = sorted(GCP.glob("*.tf"))
TEXT = "\n".join(file.read_text() for file in FILES)
WORKING = {
    "SUPABASE_URL": "https://abc.supabase.co",
    "SUPABASE_SECRET_KEY": "sb_secret_x",
    "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x",
    "VAPID_PRIVATE_KEY": "A" * 42 + "E",
    "VAPID_SUBJECT": "mailto:me@bell.dev",
    "WEBHOOK_SECRETS": "whsec_" + "A" * 32,
    "PUBLIC_URL": "https://bell.dev",
    "EXTRA_PUSH_ORIGINS": "",
    "SWEEP_CALLER": "scheduler@bell-project.iam.gserviceaccount.com",
    "THREADS": "20",
}
SECRET = {"SUPABASE_SECRET_KEY", "VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS"}
NOT_DEPLOYED = {"DATABASE_URL", "DEMO_TOKEN"}


def plain(value: Any) -> Any:
    """Return what was parsed without the parser's own marks: quotes around names and texts, comments."""
    if isinstance(value, dict):
        return {name.strip('"'): plain(inner) for name, inner in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.strip('"') if isinstance(value, str) else value


def parsed() -> dict[str, Any]:
    """Return `{"resource": {type: {name: body}}, "variable": {name: body}, "locals": {…}, …}`."""
    found: dict[str, Any] = defaultdict(dict)
    for file in FILES:
        with file.open() as opened:
            blocks = plain(hcl2.load(opened))
        for kind, bodies in blocks.items():
            for body in bodies:
                for name, inner in body.items():
                    if kind in {"resource", "data"}:
                        found[kind].setdefault(name, {}).update(inner)
                    else:
                        found[kind][name] = inner
    return found


TERRAFORM = parsed()
RESOURCES = TERRAFORM["resource"]
SERVICE = RESOURCES["google_cloud_run_v2_service"]["function"]
[CONTAINER] = SERVICE["template"][0]["containers"]


def passed() -> set[str]:
    """Return the variables that each function is given."""
    fixed = {env["name"] for env in CONTAINER["env"]}
    from_maps = [dynamic["env"]["for_each"] for dynamic in CONTAINER["dynamic"]]
    settings, secret_maps = from_maps
    assert "in local.settings :" in settings
    assert secret_maps == "${local.secret_names}"
    secrets = re.findall(r'"([A-Z_]+)"', TERRAFORM["locals"]["secret_names"])
    return fixed | set(TERRAFORM["locals"]["settings"]) | set(secrets)


def test_the_functions_are_given_every_setting_that_the_code_reads() -> None:
    source = (ROOT / "functions/taskbell/settings.py").read_text()
    read = set(re.findall(r'_(?:get|need)\(environ, "([A-Z_]+)"', source))
    assert passed() == read - NOT_DEPLOYED


def test_each_required_setting_is_among_them_and_together_they_are_enough() -> None:
    assert set(WORKING) == passed()
    read_settings(WORKING)
    optional = {"SUPABASE_PUBLISHABLE_KEY", "EXTRA_PUSH_ORIGINS", "SWEEP_CALLER", "THREADS"}
    for name in sorted(set(WORKING) - optional):
        with pytest.raises(SettingsError, match=f"^{name} is missing"):
            read_settings({**WORKING, name: ""})


def test_secrets_come_by_reference_and_their_values_are_written_only() -> None:
    assert not SECRET & set(TERRAFORM["locals"]["settings"])
    [reference] = [
        dynamic["env"]["content"][0]["value_source"][0]["secret_key_ref"][0]
        for dynamic in CONTAINER["dynamic"]
        if "value_source" in dynamic["env"]["content"][0]
    ]
    assert reference == {
        "secret": "${google_secret_manager_secret.setting[env.value].secret_id}",
        "version": "latest",
    }
    assert {"ephemeral": True, "sensitive": True}.items() <= TERRAFORM["variable"]["secrets"].items()
    uses = [line.strip() for line in TEXT.splitlines() if "var.secrets[" in line]
    assert uses
    assert all(line.startswith("secret_data_wo ") for line in uses), uses


def test_every_secret_that_is_referenced_exists_and_its_function_may_read_it() -> None:
    names = set(re.findall(r'"([A-Z_]+)"', TERRAFORM["locals"]["secret_names"]))
    assert names == SECRET
    for kind in ("google_secret_manager_secret", "google_secret_manager_secret_version"):
        assert {"setting"} == set(RESOURCES[kind])
        assert RESOURCES[kind]["setting"]["for_each"] == "${local.secret_names}"
    access = RESOURCES["google_secret_manager_secret_iam_member"]["function"]
    assert access["role"] == "roles/secretmanager.secretAccessor"
    assert access["for_each"] == "${local.function_secrets}"
    assert "setproduct(keys(local.functions), local.secret_names)" in TERRAFORM["locals"]["function_secrets"]


def test_no_secret_stands_in_the_files() -> None:
    secret = r"whsec_[A-Za-z0-9+/=]{8,}|sb_secret_\w+|eyJ[\w-]{20,}|-----BEGIN|postgres(?:ql)?://"
    files = [path for path in GCP.rglob("*") if path.is_file() and ".terraform" not in path.parts]
    assert [path.name for path in files if re.search(secret, path.read_text(errors="replace"))] == []
    assert not list(GCP.glob("*.tfstate*"))
    assert not list(GCP.glob("*.tfvars"))


def test_every_reference_leads_somewhere_and_nothing_is_declared_in_vain() -> None:
    code = re.sub(r"#.*|description += .*", "", TEXT)
    for type_name, name in re.findall(r"\b((?:google|random)_\w+)\.(\w+)", code):
        assert name in RESOURCES[type_name], f"{type_name}.{name}"
    assert set(re.findall(r"\bvar\.(\w+)", code)) == set(TERRAFORM["variable"])
    assert set(re.findall(r"\blocal\.(\w+)", code)) == set(TERRAFORM["locals"])


def test_webhook_and_api_are_public_and_the_sweep_is_private() -> None:
    functions = TERRAFORM["locals"]["functions"]
    assert {name: function["public"] for name, function in functions.items()} == {
        "api": True,
        "sweep": False,
        "webhook": True,
    }
    main = (ROOT / "functions/main.py").read_text()
    assert set(re.findall(r"^def (\w+)\(request", main, re.MULTILINE)) == set(functions)
    assert SERVICE["ingress"] == (
        '${each.value.public ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"}'
    )
    assert SERVICE["build_config"][0]["function_target"] == "${each.key}"
    # The load balancer leads to what is public, and nowhere else.
    networks = RESOURCES["google_compute_region_network_endpoint_group"]["function"]["for_each"]
    assert networks == "${{for name, function in local.functions : name => function if function.public}}"
    [matcher] = RESOURCES["google_compute_url_map"]["page"]["path_matcher"]
    led = {path for rule in matcher["path_rule"] for path in rule["paths"]}
    assert led == {"/v1/*", "/webhook"}


def test_no_path_is_one_that_cloud_run_keeps_for_itself() -> None:
    """See cloud.google.com/run/docs/known-issues: reserved are /eventlog, /_ah/ and paths that end in z."""
    [matcher] = RESOURCES["google_compute_url_map"]["page"]["path_matcher"]
    paths = [path for rule in matcher["path_rule"] for path in rule["paths"]]
    asked = re.findall(
        r'\{page\}(/[^"]*)"', (ROOT / "infra/local/taskbell_local/doctor/ask_web.py").read_text()
    )
    assert len(asked) > 3
    reserved = re.compile(r"/eventlog$|/_ah/|z$")
    assert [path for path in (*paths, *asked) if reserved.search(path)] == []


def test_iam_leaves_tokens_whole_as_each_function_checks_its_callers() -> None:
    """IAM takes the signature off a token that it checks: behind it a forged one looks the same."""
    assert SERVICE["invoker_iam_disabled"] is True
    assert [name for name in RESOURCES if name.startswith("google_cloud_run") and "iam" in name] == []


def test_each_function_has_an_account_of_its_own() -> None:
    assert RESOURCES["google_service_account"]["function"]["for_each"] == "${local.functions}"
    account = SERVICE["template"][0]["service_account"]
    assert account == "${google_service_account.function[each.key].email}"


def test_what_an_operator_tunes_is_a_variable() -> None:
    template, resources = SERVICE["template"][0], CONTAINER["resources"][0]
    assert template["max_instance_request_concurrency"] == "${var.concurrency[each.key]}"
    assert template["scaling"] == [
        {
            "max_instance_count": "${var.max_instances[each.key]}",
            "min_instance_count": "${var.min_instances[each.key]}",
        }
    ]
    assert resources["limits"] == {"cpu": "${var.cpu}", "memory": "${var.memory}"}
    assert resources["startup_cpu_boost"] == "${var.cpu_boost}"


def test_the_scheduler_is_optional_and_proves_who_it_is_without_a_secret() -> None:
    job = RESOURCES["google_cloud_scheduler_job"]["sweep"]
    assert job["count"] == "${var.backstop_schedule == null ? 0 : 1}"
    assert TERRAFORM["variable"]["backstop_schedule"]["default"] is None
    [target] = job["http_target"]
    assert target == {
        "http_method": "POST",
        "uri": '${google_cloud_run_v2_service.function["sweep"].uri}/sweep',
        "oidc_token": [
            {
                "audience": "${local.public_url}/sweep",
                "service_account_email": "${google_service_account.scheduler[0].email}",
            }
        ],
    }
    caller = TERRAFORM["locals"]["settings"]["SWEEP_CALLER"]
    assert caller == ('${var.backstop_schedule == null ? "" : google_service_account.scheduler[0].email}'), (
        "whom the sweep believes is who calls"
    )
    assert "PUBLIC_URL" in TERRAFORM["locals"]["settings"], "the audience is made from it"


def test_only_the_folder_that_is_named_after_its_content_may_be_kept_by_caches(tmp_path: Path) -> None:
    objects = RESOURCES["google_storage_bucket_object"]
    assert objects["page_built"]["cache_control"] == FOREVER
    assert objects["page_root"]["cache_control"] == ASK_AGAIN
    [built] = re.findall(r'regex\("(.+?)",', TERRAFORM["locals"]["page_built"])
    page_build.build(places.WEB, tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    root = {name for name in files if not re.search(built, name)}
    assert root == {*page_build.ENTRIES, *page_build.ROOT} & files
    assert "if !contains(keys(local.page_built), file)" in TERRAFORM["locals"]["page_root"]


def test_the_page_is_compressed_and_kept_as_its_files_say() -> None:
    backend = RESOURCES["google_compute_backend_bucket"]["page"]
    assert (backend["compression_mode"], backend["enable_cdn"]) == ("AUTOMATIC", True)
    assert backend["cdn_policy"] == [{"cache_mode": "USE_ORIGIN_HEADERS"}]


def test_without_a_built_page_nothing_is_deployed() -> None:
    [lifecycle] = RESOURCES["google_storage_bucket"]["page"]["lifecycle"]
    [condition] = lifecycle["precondition"]
    assert condition["condition"] == '${contains(keys(local.page_root), "index.html")}'
    [command] = re.findall(r"taskbell page (\S+)$", condition["error_message"])
    assert TERRAFORM["locals"]["page_folder"] == f"${{path.module}}/../../{command}"


def test_every_file_of_the_page_is_served_with_a_type() -> None:
    left_out = re.compile(r"(\.d\.ts|tsconfig.*)$")
    files = [path.name for path in (ROOT / "web").rglob("*") if path.is_file()]
    kinds = {name.rpartition(".")[2] for name in files if not left_out.search(name)}
    assert kinds <= set(TERRAFORM["locals"]["content_types"])


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_variables_and_outputs_are_in_order_and_explain_themselves(kind: str) -> None:
    assert list(TERRAFORM[kind]) == sorted(TERRAFORM[kind])
    assert all(body["description"] for body in TERRAFORM[kind].values())


def test_the_outputs_are_what_the_next_step_needs() -> None:
    assert {"page_ip_address", "public_url", "vault_command", "webhook_url"} <= set(TERRAFORM["output"])
    assert TERRAFORM["output"]["vault_command"]["value"].startswith("taskbell vault --env FILE --webhook $")


def test_terraform_would_write_the_files_the_same_way() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is missing: the style of infra/gcp is not checked")
    command = ["terraform", "fmt", "-check", "-diff", "-no-color", str(GCP)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
