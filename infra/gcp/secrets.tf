# Values are write-only: they pass from TF_VAR_secrets to Secret Manager and are in no plan and no state.
locals {
  secret_names = toset(["SUPABASE_SECRET_KEY", "VAPID_PRIVATE_KEY", "WEBHOOK_SECRETS"])

  # Which secret each function is given under which name: the private sweep has a list of its own.
  function_secrets = {
    for function in keys(local.functions) : function => {
      SUPABASE_SECRET_KEY = google_secret_manager_secret.setting["SUPABASE_SECRET_KEY"].secret_id
      VAPID_PRIVATE_KEY   = google_secret_manager_secret.setting["VAPID_PRIVATE_KEY"].secret_id
      WEBHOOK_SECRETS = (
        function == "sweep"
        ? google_secret_manager_secret.sweep.secret_id
        : google_secret_manager_secret.setting["WEBHOOK_SECRETS"].secret_id
      )
    }
  }

  function_secret_pairs = merge([
    for function, secrets in local.function_secrets : {
      for name, secret in secrets : "${function} ${name}" => { function = function, secret = secret }
    }
  ]...)
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

# What the sweep accepts: the scheduler's own secret first, then what everybody else accepts. The scheduler's
# lies in the state and in its job; it opens only a door that IAM guards as well.
resource "google_secret_manager_secret" "sweep" {
  secret_id = "taskbell-sweep-webhook-secrets"

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_version" "sweep" {
  secret                 = google_secret_manager_secret.sweep.id
  secret_data_wo         = "${local.scheduler_secret} ${var.secrets["WEBHOOK_SECRETS"]}"
  secret_data_wo_version = var.secrets_version
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = local.function_secret_pairs

  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
