# What runs, all of one image: the API, the workers, and jobs.
locals {
  environment = {
    MILLRACE_BACKEND              = "gcp"
    MILLRACE_PROJECT              = var.project_id
    MILLRACE_SPANNER_INSTANCE     = module.spanner.instance
    MILLRACE_SPANNER_DATABASE     = module.spanner.database
    MILLRACE_BIGQUERY_DATASET     = module.bigquery.dataset
    MILLRACE_BIGQUERY_LOCATION    = module.bigquery.location
    MILLRACE_API_TOPIC            = module.feeds[local.api_feed].topic
    MILLRACE_ACK_DEADLINE_SECONDS = tostring(var.ack_deadline_seconds)
    # The beginning of the image's digest: which release runs, for people.
    MILLRACE_RELEASE = substr(split("@sha256:", var.image)[1], 0, 12)
    MILLRACE_FEEDS = jsonencode([
      for feed, it in local.feeds : merge(
        {
          feed         = feed
          topic        = module.feeds[feed].topic
          subscription = module.feeds[feed].subscription
        },
        feed == local.api_feed ? { namespaces = "attribute" } : { namespace = it.namespace },
        it.sources == null ? {} : { sources = it.sources },
      )
    ])
  }

  collector = var.collector_image == null ? null : {
    image  = var.collector_image
    config = file("${path.module}/collector.yaml")
  }
  telemetry = local.collector == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    OTEL_RESOURCE_ATTRIBUTES    = "deployment.environment.name=${var.environment}"
  }

  secret_environment = {
    for component in ["api", "worker"] : component => {
      for name, secret in var.secrets : secret.setting => module.secrets.ids["${var.name}-${name}"] if contains(secret.components, component)
    }
  }

  # The programs that the image is started with. test/deploy holds them against package.json.
  programs = {
    api      = ["api/main.ts"]
    worker   = ["pipelines/fleet/main.ts"]
    migrate  = ["scripts/operator/migrate.ts"]
    invoices = ["scripts/operator/invoices.ts"]
    # What was asked for over HTTP, or cut off, is gone on with.
    reconcile = ["scripts/operator/reconcile.ts", "--resume"]
    backfill  = ["scripts/operator/backfill.ts", "--resume"]
  }
}

module "api" {
  source = "../api"

  project_id      = local.project_id
  region          = var.region
  name            = "${var.name}-api"
  image           = var.image
  args            = local.programs.api
  service_account = module.iam.emails["api"]
  # Cloud Run waits ten seconds for an instance that it ends.
  environment         = merge(local.environment, local.telemetry, { MILLRACE_GRACE_SECONDS = "8" })
  secret_environment  = local.secret_environment["api"]
  network             = module.network.network
  subnetwork          = module.network.subnetwork
  instances           = var.api.instances
  cpu                 = var.api.cpu
  memory              = var.api.memory
  public              = var.api.public
  ingress             = var.api.ingress
  invokers            = var.api.invokers
  collector           = local.collector
  deletion_protection = var.deletion_protection
  kms_key             = local.keys["run"]
  labels              = merge(local.labels, { component = "api" })
}

module "workers" {
  source = "../worker-pool"

  project_id          = local.project_id
  region              = var.region
  name                = "${var.name}-worker"
  image               = var.image
  args                = local.programs.worker
  service_account     = module.iam.emails["worker"]
  secret_environment  = local.secret_environment["worker"]
  network             = module.network.network
  subnetwork          = module.network.subnetwork
  instances           = var.workers.instances
  cpu                 = var.workers.cpu
  memory              = var.workers.memory
  collector           = local.collector
  deletion_protection = var.deletion_protection
  kms_key             = local.keys["run"]
  labels              = merge(local.labels, { component = "worker" })

  # The scaler signal that a worker tells stays within the bounds of the pool.
  environment = merge(local.environment, local.telemetry, {
    MILLRACE_WORKERS_MIN = tostring(var.workers.instances.min)
    MILLRACE_WORKERS_MAX = tostring(max(1, var.workers.instances.max))
  })
}

module "jobs" {
  source = "../jobs"

  project_id  = local.project_id
  region      = var.region
  name        = var.name
  image       = var.image
  environment = local.environment
  network     = module.network.network
  subnetwork  = module.network.subnetwork
  kms_key     = local.keys["run"]
  labels      = local.labels

  jobs = {
    # A migration that failed is looked at before it runs again.
    migrate  = { args = local.programs.migrate, service_account = module.iam.emails["migrate"], retries = 0 }
    invoices = { args = local.programs.invoices, service_account = module.iam.emails["invoices"], timeout_minutes = 360 }
    # It fails where differences are left, which are there the next time as well.
    reconcile = { args = local.programs.reconcile, service_account = module.iam.emails["operations"], timeout_minutes = 360, retries = 0 }
    backfill  = { args = local.programs.backfill, service_account = module.iam.emails["operations"], timeout_minutes = 1440 }
  }
}

module "scheduler" {
  source = "../scheduler"

  project_id      = local.project_id
  region          = var.region
  name            = var.name
  service_account = module.iam.emails["scheduler"]

  schedules = {
    for name, schedule in var.schedules : name => merge(schedule, { job = module.jobs.names[name] })
  }
}

module "monitoring" {
  source = "../monitoring"

  project_id            = local.project_id
  name                  = var.name
  emails                = var.alerts.emails
  notification_channels = var.alerts.channels
  measured              = var.alerts.measured
  runbooks              = var.alerts.runbooks
  spanner_instance      = module.spanner.instance
  jobs                  = values(module.jobs.names)
  invoices_job          = module.jobs.names["invoices"]
  labels                = local.labels

  subscriptions = {
    worker     = [for feed in module.feeds : feed.subscription]
    archive    = [for feed in module.feeds : feed.archive_subscription if var.archive]
    quarantine = [for name, feed in module.feeds : feed.quarantine_subscription if local.feeds[name].quarantine_after_attempts != null]
  }
}

module "budget" {
  source = "../budget"
  count  = var.budget == null ? 0 : 1

  billing_account       = var.budget.billing_account
  project_number        = local.number
  name                  = var.name
  amount                = { units = var.budget.units, currency = var.budget.currency }
  notification_channels = module.monitoring.notification_channels
}
