# The files of web/. Nothing but a name with a hash in it may be kept by caches: a worker must never be old.
locals {
  page_folder = "${path.module}/../../web"
  page_files  = [for file in fileset(local.page_folder, "**") : file if !can(regex("(\\.d\\.ts|tsconfig.*)$", file))]

  content_types = {
    css         = "text/css; charset=utf-8"
    html        = "text/html; charset=utf-8"
    js          = "text/javascript; charset=utf-8"
    png         = "image/png"
    svg         = "image/svg+xml"
    webmanifest = "application/manifest+json"
  }

  supabase_host = replace(var.supabase_url, "https://", "")
  page_headers = [
    "Content-Security-Policy: default-src 'self'; connect-src 'self' https://${local.supabase_host} wss://${local.supabase_host}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy: same-origin",
    "Referrer-Policy: no-referrer",
    "Strict-Transport-Security: max-age=31536000",
    "X-Content-Type-Options: nosniff",
  ]
}

resource "google_storage_bucket" "page" {
  name                        = "${var.project_id}-taskbell-page"
  location                    = var.region
  uniform_bucket_level_access = true

  website {
    main_page_suffix = "index.html"
  }
}

resource "google_storage_bucket_object" "page" {
  for_each = toset(local.page_files)

  name          = each.value
  bucket        = google_storage_bucket.page.name
  source        = "${local.page_folder}/${each.value}"
  content_type  = lookup(local.content_types, reverse(split(".", each.value))[0], "application/octet-stream")
  cache_control = can(regex("\\.[0-9a-f]{8,}\\.", each.value)) ? "public, max-age=31536000, immutable" : "no-cache"
}

resource "google_storage_bucket_iam_member" "page" {
  bucket = google_storage_bucket.page.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}
