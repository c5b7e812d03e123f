# One account a function, with a right to nothing but its own secrets.
resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "taskbell-${each.key}"
  display_name = "Taskbell's function ${each.key}"
}

resource "google_service_account" "build" {
  account_id   = "taskbell-build"
  display_name = "Builds Taskbell's functions"
}

resource "google_project_iam_member" "build" {
  project = var.project_id
  role    = "roles/run.builder"
  member  = google_service_account.build.member
}

resource "google_service_account" "scheduler" {
  count = var.backstop_schedule == null ? 0 : 1

  account_id   = "taskbell-scheduler"
  display_name = "Calls Taskbell's sweep"
}
