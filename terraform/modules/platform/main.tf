# All of Millrace in one project and region. Environments say how large and how well guarded; what belongs together is said here.
data "google_project" "this" {
  project_id = var.project_id
}

module "project_services" {
  source = "../project-services"

  project_id = var.project_id
}

locals {
  project_id = module.project_services.project_id
  number     = data.google_project.this.number
  labels     = merge(var.labels, { application = var.name, environment = var.environment })
  # The API's own feed, beside those of the producers.
  api_feed = "api"
  feeds    = merge(var.feeds, { (local.api_feed) = { namespace = null, sources = null, quarantine_after_attempts = null, schema = null } })

  key_names = ["artifact-registry", "bigquery", "dataflow", "pubsub", "run", "secrets", "spanner", "storage"]
  keys      = var.cmek ? module.kms[0].keys : { for name in local.key_names : name => null }
}

module "kms" {
  source = "../kms"
  count  = var.cmek ? 1 : 0

  project_id     = local.project_id
  project_number = local.number
  name           = var.name
  location       = var.region
  dataflow       = var.dataflow
  labels         = local.labels
}

module "network" {
  source = "../network"

  project_id      = local.project_id
  name            = var.name
  region          = var.region
  internet_egress = var.internet_egress
}

module "images" {
  source = "../artifact-registry"

  project_id = local.project_id
  name       = var.name
  location   = var.region
  kms_key    = local.keys["artifact-registry"]
  labels     = local.labels
}

module "archive" {
  source = "../archive"
  count  = var.archive ? 1 : 0

  project_id     = local.project_id
  project_number = local.number
  name           = "${var.project_id}-${var.name}-archive"
  location       = var.region
  kms_key        = local.keys["storage"]
  labels         = local.labels
}

module "feeds" {
  source   = "../pubsub"
  for_each = local.feeds

  project_id                = local.project_id
  project_number            = local.number
  name                      = "${var.name}-${each.key}"
  ack_deadline_seconds      = var.ack_deadline_seconds
  quarantine_after_attempts = each.value.quarantine_after_attempts
  schema                    = each.value.schema
  persistence_regions       = [var.region]
  archive_bucket            = one(module.archive[*].bucket)
  kms_key                   = local.keys["pubsub"]
  labels                    = merge(local.labels, { feed = each.key })
}

module "spanner" {
  source = "../spanner"

  project_id          = local.project_id
  name                = var.name
  database            = var.spanner.database
  config              = "regional-${var.region}"
  edition             = var.spanner.edition
  autoscaling         = var.spanner.autoscaling
  processing_units    = var.spanner.processing_units
  backup_days         = var.spanner.backup_days
  deletion_protection = var.deletion_protection
  kms_key             = local.keys["spanner"]
  labels              = local.labels
}

module "bigquery" {
  source = "../bigquery"

  project_id = local.project_id
  dataset    = replace(var.name, "-", "_")
  location   = var.region
  kms_key    = local.keys["bigquery"]
  labels     = local.labels
}

module "secrets" {
  source = "../secrets"

  project_id = local.project_id
  names      = toset([for name in keys(var.secrets) : "${var.name}-${name}"])
  location   = var.region
  kms_key    = local.keys["secrets"]
  labels     = local.labels
}

module "iam" {
  source = "../iam"

  project_id = local.project_id
  name       = var.name
  spanner    = { instance = module.spanner.instance, database = module.spanner.database }
  dataset    = module.bigquery.dataset
  feeds      = { for feed, it in module.feeds : feed => { topic = it.topic, subscription = it.subscription } }
  api_feed   = local.api_feed
  producers  = var.producers
  secrets    = { for name, secret in var.secrets : module.secrets.ids["${var.name}-${name}"] => secret.components }
}

module "dataflow" {
  source = "../dataflow"
  count  = var.dataflow ? 1 : 0

  project_id      = local.project_id
  name            = var.name
  location        = var.region
  network         = module.network.network
  bucket          = "${var.project_id}-${var.name}-dataflow"
  launchers       = var.dataflow_launchers
  repository      = module.images.repository_name
  service_account = module.iam.emails["dataflow"]
  kms_key         = local.keys["storage"]
  labels          = local.labels
}
