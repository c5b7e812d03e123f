locals {
  public_url = "https://${var.domain}"

  # The three functions of functions/main.py. What is public is reached from the Internet, the sweep from this
  # project alone. Each waits at most so long; see functions/taskbell/intake/handle.py.
  functions = {
    api     = { public = true, timeout_seconds = 60 }
    sweep   = { public = false, timeout_seconds = 30 }
    webhook = { public = true, timeout_seconds = 30 }
  }

  # What functions/taskbell/settings.py reads; secrets come by reference, see secrets.tf.
  settings = {
    EXTRA_PUSH_ORIGINS       = join(" ", var.extra_push_origins)
    PUBLIC_URL               = local.public_url
    SUPABASE_PUBLISHABLE_KEY = var.supabase_publishable_key
    SUPABASE_URL             = var.supabase_url
    SWEEP_CALLER             = var.backstop_schedule == null ? "" : google_service_account.scheduler[0].email
    VAPID_SUBJECT            = var.vapid_subject
  }

  base_image = "${var.region}-docker.pkg.dev/serverless-runtimes/google-22/runtimes/${var.python}"
}
