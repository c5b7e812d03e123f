locals {
  images = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

resource "google_cloud_run_v2_service" "function" {
  for_each = local.functions

  name                = "taskbell-${each.key}"
  location            = var.region
  ingress             = each.value.public ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = false

  # Each function checks its callers by itself: a signature, a user's token, the scheduler's token. IAM would take
  # the signature off a token before the function sees it, and pg_net has no token at all.
  invoker_iam_disabled = true

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
        for_each = local.secret_names
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.setting[env.value].secret_id
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
    google_storage_bucket_iam_member.build,
  ]
}
