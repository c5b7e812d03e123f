# What `taskbell page .taskbell/page` wrote. The folder v-… is named after its content and kept by caches for ever;
# nothing else may be: a worker must never be old. Former versions stay as long as the command keeps them: build where
# the last one was built, or pages that are open lose their files.
locals {
  page_folder = "${path.module}/../../.taskbell/page"
  page_files  = fileset(local.page_folder, "**")
  page_types = {
    for file in local.page_files : file =>
    lookup(local.content_types, reverse(split(".", file))[0], "application/octet-stream")
  }
  page_built = { for file, type in local.page_types : file => type if can(regex("^v-[0-9a-f]{12}/", file)) }
  page_root  = { for file, type in local.page_types : file => type if !contains(keys(local.page_built), file) }

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

  lifecycle {
    precondition {
      condition     = contains(keys(local.page_root), "index.html")
      error_message = "Build the page first, in the checkout: taskbell page .taskbell/page"
    }
  }
}

resource "google_storage_bucket_object" "page_built" {
  for_each = local.page_built

  name          = each.key
  bucket        = google_storage_bucket.page.name
  source        = "${local.page_folder}/${each.key}"
  content_type  = each.value
  cache_control = "public, max-age=31536000, immutable"
}

resource "google_storage_bucket_object" "page_root" {
  for_each = local.page_root

  name          = each.key
  bucket        = google_storage_bucket.page.name
  source        = "${local.page_folder}/${each.key}"
  content_type  = each.value
  cache_control = "no-cache"

  depends_on = [google_storage_bucket_object.page_built] # what they name is there before them
}

resource "google_storage_bucket_iam_member" "page" {
  bucket = google_storage_bucket.page.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}
