# Values are write-only: they pass from TF_VAR_secrets to Secret Manager and are in no plan and no state.
locals {
  secret_names = toset(["SUPABASE_SECRET_KEY", "VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS"])

  function_secrets = {
    for pair in setproduct(keys(local.functions), local.secret_names) :
    "${pair[0]} ${pair[1]}" => { function = pair[0], secret = google_secret_manager_secret.setting[pair[1]].secret_id }
  }
}

resource "google_secret_manager_secret" "setting" {
  for_each = local.secret_names

  secret_id = "taskbell-${lower(replace(each.value, "_", "-"))}"

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_version" "setting" {
  for_each = local.secret_names

  secret                 = google_secret_manager_secret.setting[each.value].id
  secret_data_wo         = var.secrets[each.value]
  secret_data_wo_version = var.secrets_version
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = local.function_secrets

  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
