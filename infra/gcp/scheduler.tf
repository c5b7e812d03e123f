# A backstop for a project whose pg_cron stands still. The job holds no secret: Google signs a token for each call,
# and the sweep checks who signed it, for whom and for what (functions/taskbell/intake/scheduler.py).
resource "google_cloud_scheduler_job" "sweep" {
  count = var.backstop_schedule == null ? 0 : 1

  name             = "taskbell-sweep"
  region           = var.region
  schedule         = var.backstop_schedule
  attempt_deadline = "30s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.function["sweep"].uri}/sweep"

    oidc_token {
      audience              = "${local.public_url}/sweep"
      service_account_email = google_service_account.scheduler[0].email
    }
  }

  depends_on = [google_project_service.this]
}
