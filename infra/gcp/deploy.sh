#!/usr/bin/env bash
# Deploys Taskbell with gcloud alone, and its page with Firebase Hosting: for who has no Terraform.
#
#   PROJECT_ID=… SUPABASE_URL=… SUPABASE_PUBLISHABLE_KEY=… VAPID_SUBJECT=mailto:… infra/gcp/deploy.sh
#
# Needs gcloud, signed in, and `taskbell`; for the page also `firebase` (npm install -g firebase-tools).
# SUPABASE_SECRET_KEY, VAPID_PRIVATE_KEY and WEBHOOK_SECRETS are written to Secret Manager if they are set, and
# else stay as they are there. They are never arguments of a command, which other users of this machine could
# read. BACKSTOP_SCHEDULE, as in crontab, has Cloud Scheduler call the sweep; without it nobody does.
# Run it again after every change: it changes what differs.
set -euo pipefail

: "${PROJECT_ID:?the Google Cloud project}"
: "${SUPABASE_URL:?https://….supabase.co}"
: "${SUPABASE_PUBLISHABLE_KEY:?sb_publishable_…, for the sign-in on the page}"
: "${VAPID_SUBJECT:?mailto: and an address that reaches you}"
region=${REGION:-europe-west1}
public_url=${PUBLIC_URL:-https://$PROJECT_ID.web.app}
cpu_boost=${CPU_BOOST:-true}
memory=${MEMORY:-512Mi}
schedule=${BACKSTOP_SCHEDULE:-}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
page=${PAGE:-$root/.taskbell/page}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gcloud() { command gcloud --quiet --project "$PROJECT_ID" "$@"; }
account() { echo "taskbell-$1@$PROJECT_ID.iam.gserviceaccount.com"; }
secret_of() { tr '[:upper:]_' '[:lower:]-' <<<"taskbell-$1"; }

gcloud services enable artifactregistry.googleapis.com cloudbuild.googleapis.com \
  cloudscheduler.googleapis.com run.googleapis.com secretmanager.googleapis.com

ensure_account() {
  gcloud iam service-accounts describe "$(account "$1")" >/dev/null 2>&1 ||
    gcloud iam service-accounts create "taskbell-$1" --display-name "$2"
}

ensure_account build "Builds Taskbell's functions"
gcloud projects add-iam-policy-binding "$PROJECT_ID" --role roles/run.builder --condition None \
  --member "serviceAccount:$(account build)" >/dev/null

secrets=(SUPABASE_SECRET_KEY VAPID_PRIVATE_KEY WEBHOOK_SECRETS)
for name in "${secrets[@]}"; do
  secret=$(secret_of "$name")
  gcloud secrets describe "$secret" >/dev/null 2>&1 ||
    gcloud secrets create "$secret" --replication-policy automatic
  if [ -n "${!name:-}" ]; then
    printf %s "${!name}" | gcloud secrets versions add "$secret" --data-file -
  fi
done

# In single quotes YAML leaves everything as it is, but for the quote itself.
yaml() { printf "%s: '%s'\n" "$1" "${2//\'/\'\'}"; }

sweep_caller=""
if [ -n "$schedule" ]; then
  sweep_caller=$(account scheduler)
  ensure_account scheduler "Calls Taskbell's sweep"
fi

# deploy FUNCTION INGRESS CONCURRENCY MAX_INSTANCES MIN_INSTANCES
# Each function checks its callers by itself: IAM would take the signature off a token before the function sees it.
deploy() {
  local function=$1 ingress=$2 concurrency=$3 max_instances=$4 min_instances=$5 name references=""
  local boost=--no-cpu-boost
  if [ "$cpu_boost" = true ]; then boost=--cpu-boost; fi
  ensure_account "$function" "Taskbell's function $function"
  for name in "${secrets[@]}"; do
    gcloud secrets add-iam-policy-binding "$(secret_of "$name")" --role roles/secretmanager.secretAccessor \
      --member "serviceAccount:$(account "$function")" >/dev/null
    references+="${references:+,}$name=$(secret_of "$name"):latest"
  done
  {
    yaml EXTRA_PUSH_ORIGINS "${EXTRA_PUSH_ORIGINS:-}"
    yaml PUBLIC_URL "$public_url"
    yaml SUPABASE_PUBLISHABLE_KEY "$SUPABASE_PUBLISHABLE_KEY"
    yaml SUPABASE_URL "$SUPABASE_URL"
    yaml SWEEP_CALLER "$sweep_caller"
    yaml THREADS "$concurrency"
    yaml VAPID_SUBJECT "$VAPID_SUBJECT"
  } >"$work/$function.yaml"
  gcloud run deploy "taskbell-$function" --source "$work/functions" --function "$function" \
    --base-image "${PYTHON:-python313}" --region "$region" --ingress "$ingress" --no-invoker-iam-check \
    --cpu "${CPU:-1}" --memory "$memory" "$boost" \
    --service-account "$(account "$function")" \
    --build-service-account "projects/$PROJECT_ID/serviceAccounts/$(account build)" --timeout 60 \
    --concurrency "$concurrency" --max-instances "$max_instances" --min-instances "$min_instances" \
    --env-vars-file "$work/$function.yaml" --set-secrets "$references"
}

mkdir "$work/functions"
tar -C "$root/functions" --exclude __pycache__ -cf - . | tar -C "$work/functions" -xf -
deploy webhook all "${WEBHOOK_CONCURRENCY:-20}" "${WEBHOOK_MAX_INSTANCES:-5}" "${WEBHOOK_MIN_INSTANCES:-0}"
deploy api all "${API_CONCURRENCY:-40}" "${API_MAX_INSTANCES:-10}" "${API_MIN_INSTANCES:-0}"
deploy sweep internal "${SWEEP_CONCURRENCY:-4}" "${SWEEP_MAX_INSTANCES:-1}" "${SWEEP_MIN_INSTANCES:-0}"

address() { gcloud run services describe "taskbell-$1" --region "$region" --format 'value(status.url)'; }

# The job holds no secret: Google signs a token for each call, and the sweep checks it.
if [ -n "$schedule" ]; then
  verb=create
  if gcloud scheduler jobs describe taskbell-sweep --location "$region" >/dev/null 2>&1; then verb=update; fi
  gcloud scheduler jobs "$verb" http taskbell-sweep --location "$region" --schedule "$schedule" \
    --uri "$(address sweep)/sweep" --http-method POST --attempt-deadline 30s \
    --oidc-service-account-email "$sweep_caller" --oidc-token-audience "$public_url/sweep"
fi

# The last rule that matches wins.
publish() {
  local taskbell supabase=${SUPABASE_URL#https://}
  taskbell=$(command -v taskbell || echo "$root/.venv/bin/taskbell")
  "$taskbell" page "$page"
  cp -R "$page" "$work/page"
  cat >"$work/firebase.json" <<JSON
{
  "hosting": {
    "public": "page",
    "rewrites": [{ "source": "/v1/**", "run": { "serviceId": "taskbell-api", "region": "$region" } }],
    "headers": [
      { "source": "**", "headers": [
        { "key": "Cache-Control", "value": "no-cache" },
        { "key": "Content-Security-Policy", "value": "default-src 'self'; connect-src 'self' https://$supabase wss://$supabase; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" },
        { "key": "Cross-Origin-Opener-Policy", "value": "same-origin" },
        { "key": "Referrer-Policy", "value": "no-referrer" },
        { "key": "X-Content-Type-Options", "value": "nosniff" }
      ] },
      { "source": "**/*.webmanifest", "headers": [{ "key": "Content-Type", "value": "application/manifest+json" }] },
      { "source": "/v-*/**", "headers": [{ "key": "Cache-Control", "value": "public, max-age=31536000, immutable" }] }
    ]
  }
}
JSON
  (cd "$work" && firebase deploy --only hosting --project "$PROJECT_ID" --non-interactive)
}
if command -v firebase >/dev/null; then
  publish
else
  echo "NOT DEPLOYED: the page (no firebase here). Run \`taskbell page DIR\`, and serve DIR at $public_url as it says."
fi

webhook=$(address webhook)
cat <<NEXT

Deployed. Now, where FILE holds PUBLIC_URL=$public_url and the settings above:
  taskbell vault --env FILE --webhook $webhook/webhook
  taskbell doctor --env FILE
NEXT
