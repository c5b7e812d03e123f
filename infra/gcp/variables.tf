variable "backstop_schedule" {
  description = "When Cloud Scheduler calls the sweep, as in crontab; null for never. pg_cron does it every 15 s; this is for a project whose pg_cron stands still."
  type        = string
  default     = null
}

variable "concurrency" {
  description = "Requests that one instance of a function works on at once."
  type        = object({ api = number, sweep = number, webhook = number })
  default     = { api = 40, sweep = 4, webhook = 20 }
}

variable "cpu" {
  description = "CPUs of an instance; below 1 only one request runs at once."
  type        = string
  default     = "1"
}

variable "cpu_boost" {
  description = "Whether an instance gets more CPU while it starts, which halves a cold start."
  type        = bool
  default     = true
}

variable "domain" {
  description = "Host of the page, such as bell.example.com; its A record must point to the output page_ip_address."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+\\.[a-z]{2,}$", var.domain))
    error_message = "A host alone, in lower case: no https://, no path."
  }
}

variable "extra_push_origins" {
  description = "Exact origins of push services beside the known ones."
  type        = list(string)
  default     = []
}

variable "max_instances" {
  description = "Most instances of each function."
  type        = object({ api = number, sweep = number, webhook = number })
  default     = { api = 10, sweep = 1, webhook = 5 }
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "512Mi"
}

variable "min_instances" {
  description = "Instances of each function that are kept warm; each costs money around the clock."
  type        = object({ api = number, sweep = number, webhook = number })
  default     = { api = 0, sweep = 0, webhook = 0 }
}

variable "project_id" {
  description = "Google Cloud project."
  type        = string
}

variable "python" {
  description = "Base image of the functions; Google keeps its security fixes current."
  type        = string
  default     = "python313"
}

variable "region" {
  description = "Where the functions run: near the Supabase project."
  type        = string
  default     = "europe-west1"
}

variable "secrets" {
  description = "VAPID_PRIVATE_KEY and WEBHOOK_SECRETS as `taskbell keys` prints them, SUPABASE_SECRET_KEY from the dashboard. Set TF_VAR_secrets; it reaches Secret Manager alone."
  type        = object({ SUPABASE_SECRET_KEY = string, VAPID_PRIVATE_KEY = string, WEBHOOK_SECRETS = string })
  ephemeral   = true
  sensitive   = true
}

variable "secrets_version" {
  description = "Count up to write `secrets` again, and to deploy the functions with them."
  type        = number
  default     = 1
}

variable "supabase_publishable_key" {
  description = "sb_publishable_…, for the page's sign-in; public."
  type        = string

  validation {
    condition     = !startswith(var.supabase_publishable_key, "sb_secret_")
    error_message = "This is a secret key, and the page would show it to everybody."
  }
}

variable "supabase_url" {
  description = "https://….supabase.co"
  type        = string
}

variable "vapid_subject" {
  description = "mailto: or https:, whom a push service may write to."
  type        = string
}
