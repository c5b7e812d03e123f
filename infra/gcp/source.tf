# One archive for all three functions.
data "archive_file" "source" {
  type        = "zip"
  source_dir  = "${path.module}/../../functions"
  output_path = "${path.module}/.terraform/functions.zip"
  excludes    = ["**/__pycache__/**", "**/*.pyc"]
}

resource "google_storage_bucket" "source" {
  name                        = "${var.project_id}-taskbell-source"
  location                    = var.region
  public_access_prevention    = "enforced"
  uniform_bucket_level_access = true
}

# Its name changes with its content, and so the functions are built again.
resource "google_storage_bucket_object" "source" {
  name   = "functions-${data.archive_file.source.output_sha256}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "taskbell"
  location      = var.region
  format        = "DOCKER"

  depends_on = [google_project_service.this]
}
