# A backstop for a project whose pg_cron stands still. Cloud Run checks the OIDC token before the function
# starts; the function asks for a secret besides, as it cannot know who guards it.
locals {
  scheduler_secret = "whsec_${random_bytes.scheduler.base64}"
}

resource "random_bytes" "scheduler" {
  length = 32
}

resource "google_cloud_scheduler_job" "sweep" {
  count = var.backstop_schedule == null ? 0 : 1

  name             = "taskbell-sweep"
  region           = var.region
  schedule         = var.backstop_schedule
  attempt_deadline = "30s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.function["sweep"].uri}/sweep"
    headers     = { "x-taskbell-secret" = local.scheduler_secret }

    oidc_token {
      audience              = google_cloud_run_v2_service.function["sweep"].uri
      service_account_email = google_service_account.scheduler[0].email
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  count = var.backstop_schedule == null ? 0 : 1

  name     = google_cloud_run_v2_service.function["sweep"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler[0].member
}
