output "page_ip_address" {
  description = "Point the A record of the domain here; the certificate follows within the hour."
  value       = google_compute_global_address.page.address
}

output "public_url" {
  description = "Where people open the page; PUBLIC_URL for `taskbell doctor`."
  value       = local.public_url
}

output "sweep_url" {
  description = "For Cloud Scheduler alone, and reached from this project alone: keep it out of Vault. SWEEP_URL for `taskbell doctor`."
  value       = "${google_cloud_run_v2_service.function["sweep"].uri}/sweep"
}

output "vault_command" {
  description = "Run it with your settings' FILE, so that the database knows whom to wake, and how to sign."
  value       = "taskbell vault --env FILE --webhook ${google_cloud_run_v2_service.function["webhook"].uri}/webhook"
}

output "webhook_url" {
  description = "What the database wakes; for Vault."
  value       = "${google_cloud_run_v2_service.function["webhook"].uri}/webhook"
}
