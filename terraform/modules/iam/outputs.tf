output "emails" {
  description = "Addresses of the accounts by component, once they have their roles."
  value       = { for who, account in google_service_account.this : who => account.email }
  depends_on = [
    google_project_iam_member.this,
    google_spanner_database_iam_member.this,
    google_bigquery_dataset_iam_member.this,
    google_pubsub_topic_iam_member.publisher,
    google_pubsub_subscription_iam_member.subscriber,
    google_secret_manager_secret_iam_member.reader,
  ]
}

output "grants" {
  description = "Every grant to a component, as `component role on thing`: what the README's table shows."
  value = sort(concat(
    [for grant in local.project_grants : "${grant.who} ${grant.role} on the project"],
    [for who, role in local.database_roles : "${who} ${reverse(split("/", role))[0]} on the database"],
    [for who, role in local.dataset_roles : "${who} ${reverse(split("/", role))[0]} on the dataset"],
    [for grant in local.publishers : "${grant.who} roles/pubsub.publisher on topic ${grant.feed}"],
    [for grant in local.subscribers : "${grant.who} roles/pubsub.subscriber on subscription ${grant.feed}"],
    [for grant in local.secret_readers : "${grant.who} roles/secretmanager.secretAccessor on secret ${grant.secret}"],
  ))
}
