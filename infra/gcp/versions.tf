# Taskbell on Google Cloud: three functions, the page, one address, secrets by reference.
#
#   set -a; . ./taskbell.env; set +a      # what `taskbell keys taskbell.env` wrote, filled in
#   export TF_VAR_secrets="{\"SUPABASE_SECRET_KEY\":\"$SUPABASE_SECRET_KEY\",
#     \"VAPID_PRIVATE_KEY\":\"$VAPID_PRIVATE_KEY\",\"WEBHOOK_SECRETS\":\"$WEBHOOK_SECRETS\"}"
#   export TF_VAR_supabase_url="$SUPABASE_URL" TF_VAR_vapid_subject="$VAPID_SUBJECT" \
#     TF_VAR_supabase_publishable_key="$SUPABASE_PUBLISHABLE_KEY"
#   taskbell page .taskbell/page          # what page.tf serves
#   terraform -chdir=infra/gcp init
#   terraform -chdir=infra/gcp apply      # asks for project and domain; see variables.tf
#
# Then do what the outputs say, and run `taskbell doctor --env taskbell.env`.
terraform {
  required_version = ">= 1.11" # write-only arguments: secrets reach Secret Manager and never the state

  required_providers {
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50" # the schema that the tests hold these files against
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
