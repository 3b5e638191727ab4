mock_provider "google" {
  mock_resource "google_project_iam_custom_role" {
    defaults = { name = "projects/p/roles/custom" }
  }
}

override_resource {
  target = google_project_iam_custom_role.database
  values = { name = "projects/p/roles/millrace_database" }
}

override_resource {
  target = google_project_iam_custom_role.warehouse
  values = { name = "projects/p/roles/millrace_warehouse" }
}

variables {
  project_id = "p"
  name       = "millrace"
  spanner    = { instance = "millrace", database = "millrace" }
  dataset    = "millrace"
  api_feed   = "api"
  feeds = {
    usage = { topic = "millrace-usage", subscription = "millrace-usage-worker" }
    api   = { topic = "millrace-api", subscription = "millrace-api-worker" }
  }
  secrets   = { millrace-otlp = ["api"] }
  producers = { usage = ["serviceAccount:chat@elsewhere.iam.gserviceaccount.com"] }
}

run "each_account_has_exactly_these_roles" {
  assert {
    condition = toset(output.grants) == toset([
      "api roles/bigquery.jobUser on the project",
      "api roles/cloudtrace.agent on the project",
      "api roles/logging.logWriter on the project",
      "api roles/monitoring.metricWriter on the project",
      "api roles/monitoring.viewer on the project",
      "api millrace_database on the database",
      "api millrace_warehouse on the dataset",
      "api roles/pubsub.publisher on topic api",
      "api roles/secretmanager.secretAccessor on secret millrace-otlp",
      "worker roles/bigquery.jobUser on the project",
      "worker roles/cloudtrace.agent on the project",
      "worker roles/logging.logWriter on the project",
      "worker roles/monitoring.metricWriter on the project",
      "worker roles/monitoring.viewer on the project",
      "worker millrace_database on the database",
      "worker millrace_warehouse on the dataset",
      "worker roles/pubsub.publisher on topic api",
      "worker roles/pubsub.publisher on topic usage",
      "worker roles/pubsub.subscriber on subscription api",
      "worker roles/pubsub.subscriber on subscription usage",
      "migrate roles/bigquery.jobUser on the project",
      "migrate spanner.databaseUser on the database",
      "migrate bigquery.dataEditor on the dataset",
      "invoices roles/bigquery.jobUser on the project",
      "invoices millrace_database on the database",
      "invoices bigquery.dataViewer on the dataset",
      "operations roles/bigquery.jobUser on the project",
      "operations millrace_database on the database",
      "operations millrace_warehouse on the dataset",
      "dataflow roles/bigquery.jobUser on the project",
      "dataflow roles/dataflow.worker on the project",
      "dataflow roles/monitoring.viewer on the project",
      "dataflow millrace_database on the database",
      "dataflow millrace_warehouse on the dataset",
      "dataflow roles/pubsub.publisher on topic api",
      "dataflow roles/pubsub.publisher on topic usage",
      "dataflow roles/pubsub.subscriber on subscription api",
      "dataflow roles/pubsub.subscriber on subscription usage",
    ])
    error_message = "Somebody has more, or less, than is listed here: ${join(", ", output.grants)}"
  }
}

run "the_list_is_what_is_granted" {
  assert {
    condition = toset(output.grants) == toset(concat(
      [for name, grant in google_project_iam_member.this : "${split(" ", name)[0]} ${grant.role} on the project"],
      [for who, grant in google_spanner_database_iam_member.this : "${who} ${reverse(split("/", grant.role))[0]} on the database"],
      [for who, grant in google_bigquery_dataset_iam_member.this : "${who} ${reverse(split("/", grant.role))[0]} on the dataset"],
      [for name, grant in google_pubsub_topic_iam_member.publisher : "${split(" ", name)[0]} ${grant.role} on topic ${trimprefix(grant.topic, "millrace-")}"],
      [for name, grant in google_pubsub_subscription_iam_member.subscriber : "${split(" ", name)[0]} ${grant.role} on subscription ${split("-", grant.subscription)[1]}"],
      [for name, grant in google_secret_manager_secret_iam_member.reader : "${split(" ", name)[0]} ${grant.role} on secret ${grant.secret_id}"],
    ))
    error_message = "The list and the grants differ."
  }
}

run "each_component_has_an_account_and_the_scheduler_has_no_role_here" {
  assert {
    condition     = toset(keys(google_service_account.this)) == toset(["api", "worker", "migrate", "invoices", "operations", "scheduler", "dataflow"])
    error_message = "There is one account for each component."
  }

  assert {
    condition     = length([for grant in output.grants : grant if startswith(grant, "scheduler ")]) == 0
    error_message = "The scheduler may start its jobs only, which is said beside them."
  }
}

run "rows_are_written_without_the_right_to_change_tables" {
  assert {
    condition     = length(setintersection(google_project_iam_custom_role.database.permissions, ["spanner.databases.updateDdl", "spanner.databases.drop", "spanner.databases.setIamPolicy"])) == 0
    error_message = "Only migrations change tables of the database."
  }

  assert {
    condition     = length(setintersection(google_project_iam_custom_role.warehouse.permissions, ["bigquery.tables.create", "bigquery.tables.delete", "bigquery.tables.update", "bigquery.datasets.update"])) == 0
    error_message = "Only migrations change tables of the warehouse."
  }
}

run "a_producer_publishes_to_its_feed_and_sees_nothing" {
  assert {
    condition     = [for grant in google_pubsub_topic_iam_member.producer : "${grant.member} ${grant.role} ${grant.topic}"] == ["serviceAccount:chat@elsewhere.iam.gserviceaccount.com roles/pubsub.publisher millrace-usage"]
    error_message = "A producer has one role on one topic."
  }
}

run "nobody_but_the_api_may_say_whose_a_message_is" {
  command = plan

  variables {
    producers = { api = ["serviceAccount:chat@elsewhere.iam.gserviceaccount.com"] }
  }

  expect_failures = [var.producers]
}

run "a_feed_is_not_for_everybody" {
  command = plan

  variables {
    producers = { usage = ["allAuthenticatedUsers"] }
  }

  expect_failures = [var.producers]
}
