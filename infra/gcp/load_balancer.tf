# One address for the page and its api: the worker and /v1 must be of one origin.
resource "google_compute_backend_bucket" "page" {
  name                    = "taskbell-page"
  bucket_name             = google_storage_bucket.page.name
  custom_response_headers = local.page_headers
  compression_mode        = "AUTOMATIC"
  enable_cdn              = true

  cdn_policy {
    cache_mode = "USE_ORIGIN_HEADERS" # see page.tf
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = { for name, function in local.functions : name => function if function.public }

  name                  = "taskbell-${each.key}"
  network_endpoint_type = "SERVERLESS"
  region                = var.region

  cloud_run {
    service = google_cloud_run_v2_service.function[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each = google_compute_region_network_endpoint_group.function

  name                  = "taskbell-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"

  backend {
    group = each.value.id
  }
}

resource "google_compute_url_map" "page" {
  name            = "taskbell"
  default_service = google_compute_backend_bucket.page.id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "page"
  }

  path_matcher {
    name            = "page"
    default_service = google_compute_backend_bucket.page.id

    path_rule {
      paths   = ["/v1/*"]
      service = google_compute_backend_service.function["api"].id
    }

    path_rule {
      paths   = ["/webhook"]
      service = google_compute_backend_service.function["webhook"].id
    }
  }
}

resource "google_compute_managed_ssl_certificate" "page" {
  name = "taskbell"

  managed {
    domains = [var.domain]
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_target_https_proxy" "page" {
  name             = "taskbell"
  ssl_certificates = [google_compute_managed_ssl_certificate.page.id]
  url_map          = google_compute_url_map.page.id
}

resource "google_compute_global_address" "page" {
  name = "taskbell"

  depends_on = [google_project_service.this]
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "taskbell-https"
  ip_address            = google_compute_global_address.page.address
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "443"
  target                = google_compute_target_https_proxy.page.id
}

# Whoever types the address without https:// is sent there.
resource "google_compute_url_map" "redirect" {
  name = "taskbell-redirect"

  default_url_redirect {
    https_redirect = true
    strip_query    = false
  }
}

resource "google_compute_target_http_proxy" "redirect" {
  name    = "taskbell-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "redirect" {
  name                  = "taskbell-http"
  ip_address            = google_compute_global_address.page.address
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect.id
}
