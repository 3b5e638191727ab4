# Who may do what, in one table for each kind of thing. What is not in these tables, nobody of ours may do: no account has a primitive role,
# none has a role on the project that could be given on the thing itself, and none has a key.
locals {
  accounts = {
    api        = "Answers requests."
    worker     = "Commits and appends usage."
    migrate    = "Makes and changes tables, and nothing else."
    invoices   = "Bills who is due."
    operations = "Backfills, reconciles and repairs."
    scheduler  = "Starts jobs."
    dataflow   = "Commits and appends usage as a Beam job."
  }

  # Signals. Jobs have no collector beside them, so they only log, which needs no role.
  telemetry = ["roles/cloudtrace.agent", "roles/logging.logWriter", "roles/monitoring.metricWriter"]

  project_roles = {
    # A query is a job of the project; what it may read is decided by the dataset. How much waits in a subscription is a metric.
    api        = concat(local.telemetry, ["roles/bigquery.jobUser", "roles/monitoring.viewer"])
    worker     = concat(local.telemetry, ["roles/bigquery.jobUser", "roles/monitoring.viewer"])
    migrate    = ["roles/bigquery.jobUser"]
    invoices   = ["roles/bigquery.jobUser"]
    operations = ["roles/bigquery.jobUser"]
    dataflow   = ["roles/bigquery.jobUser", "roles/dataflow.worker", "roles/monitoring.viewer"]
  }

  database_roles = {
    api        = local.use_database
    worker     = local.use_database
    invoices   = local.use_database
    operations = local.use_database
    dataflow   = local.use_database
    # With the right to change tables.
    migrate = "roles/spanner.databaseUser"
  }

  dataset_roles = {
    # A void, which the API takes, appends a row.
    api        = local.append_rows
    worker     = local.append_rows
    operations = local.append_rows
    dataflow   = local.append_rows
    invoices   = "roles/bigquery.dataViewer"
    # With the right to make and change tables and views.
    migrate = "roles/bigquery.dataEditor"
  }

  # The API publishes to its own feed, where a message says whose it is: nobody else may. Workers, those of Beam jobs too, publish heartbeats.
  publishers  = merge([for feed in keys(var.feeds) : { for who in feed == var.api_feed ? ["api", "worker", "dataflow"] : ["worker", "dataflow"] : "${who} ${feed}" => { who = who, feed = feed } }]...)
  subscribers = merge([for feed in keys(var.feeds) : { for who in ["worker", "dataflow"] : "${who} ${feed}" => { who = who, feed = feed } }]...)

  secret_readers = merge([for secret, components in var.secrets : { for who in components : "${who} ${secret}" => { who = who, secret = secret } }]...)

  project_grants = merge([for who, roles in local.project_roles : { for role in roles : "${who} ${role}" => { who = who, role = role } }]...)

  use_database = google_project_iam_custom_role.database.name
  append_rows  = google_project_iam_custom_role.warehouse.name
  members      = { for who, account in google_service_account.this : who => "serviceAccount:${account.email}" }
}

resource "google_service_account" "this" {
  for_each = local.accounts

  project      = var.project_id
  account_id   = "${var.name}-${each.key}"
  display_name = "Millrace ${each.key}"
  description  = each.value
}

# What reading and writing rows takes. The predefined role for this may also change tables.
resource "google_project_iam_custom_role" "database" {
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_database"
  title       = "Millrace: rows of the database"
  description = "Reads and writes rows, without the right to change tables."
  permissions = [
    "spanner.databases.beginOrRollbackReadWriteTransaction",
    "spanner.databases.beginReadOnlyTransaction",
    "spanner.databases.get",
    "spanner.databases.read",
    "spanner.databases.select",
    "spanner.databases.write",
    "spanner.sessions.create",
    "spanner.sessions.delete",
    "spanner.sessions.get",
  ]
}

# What appending rows and querying tables takes. The predefined role for this may also drop tables.
resource "google_project_iam_custom_role" "warehouse" {
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_warehouse"
  title       = "Millrace: rows of the warehouse"
  description = "Appends rows and reads tables, without the right to change or drop them."
  permissions = [
    "bigquery.datasets.get",
    "bigquery.routines.get",
    "bigquery.routines.list",
    "bigquery.tables.get",
    "bigquery.tables.getData",
    "bigquery.tables.list",
    "bigquery.tables.updateData",
  ]
}

resource "google_project_iam_member" "this" {
  for_each = local.project_grants

  project = var.project_id
  role    = each.value.role
  member  = local.members[each.value.who]
}

resource "google_spanner_database_iam_member" "this" {
  for_each = local.database_roles

  project  = var.project_id
  instance = var.spanner.instance
  database = var.spanner.database
  role     = each.value
  member   = local.members[each.key]
}

resource "google_bigquery_dataset_iam_member" "this" {
  for_each = local.dataset_roles

  project    = var.project_id
  dataset_id = var.dataset
  role       = each.value
  member     = local.members[each.key]
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publishers

  project = var.project_id
  topic   = var.feeds[each.value.feed].topic
  role    = "roles/pubsub.publisher"
  member  = local.members[each.value.who]
}

# Producers are accounts of others: each may publish to the feeds it was given, and see nothing.
resource "google_pubsub_topic_iam_member" "producer" {
  for_each = merge([for feed, members in var.producers : { for member in members : "${member} ${feed}" => { member = member, feed = feed } }]...)

  project = var.project_id
  topic   = var.feeds[each.value.feed].topic
  role    = "roles/pubsub.publisher"
  member  = each.value.member
}

resource "google_pubsub_subscription_iam_member" "subscriber" {
  for_each = local.subscribers

  project      = var.project_id
  subscription = var.feeds[each.value.feed].subscription
  role         = "roles/pubsub.subscriber"
  member       = local.members[each.value.who]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_readers

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.value.who]
}
