locals {
  images = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_cloud_run_v2_service" "function" {
  for_each = local.functions

  name                = "taskbell-${each.key}"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = false

  build_config {
    base_image               = local.base_image
    enable_automatic_updates = true
    function_target          = each.key
    image_uri                = "${local.images}/${each.key}"
    service_account          = google_service_account.build.id
    source_location          = "gs://${google_storage_bucket.source.name}/${google_storage_bucket_object.source.name}"
  }

  template {
    max_instance_request_concurrency = var.concurrency[each.key]
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${each.value.timeout_seconds}s"

    # A new version of the secrets makes a new revision, which reads them.
    labels = { secrets-version = tostring(var.secrets_version) }

    scaling {
      max_instance_count = var.max_instances[each.key]
      min_instance_count = var.min_instances[each.key]
    }

    containers {
      base_image_uri = local.base_image
      image          = "${local.images}/${each.key}"

      resources {
        cpu_idle          = true # what is not done within the request stays leased, and the sweep does it
        startup_cpu_boost = var.cpu_boost
        limits            = { cpu = var.cpu, memory = var.memory }
      }

      env {
        name  = "THREADS"
        value = tostring(var.concurrency[each.key])
      }

      dynamic "env" {
        for_each = { for name, value in local.settings : name => value if value != "" }
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.function_secrets[each.key]
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [
    google_project_iam_member.build,
    google_secret_manager_secret_iam_member.function,
    google_secret_manager_secret_version.setting,
    google_secret_manager_secret_version.sweep,
    google_storage_bucket_iam_member.build,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = { for name, function in local.functions : name => function if function.public }

  name     = google_cloud_run_v2_service.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
