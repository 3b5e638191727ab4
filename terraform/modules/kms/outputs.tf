output "keys" {
  description = "Ids of the keys by what they encrypt: artifact-registry, bigquery, pubsub, run, secrets, spanner, storage, and dataflow where it is asked for."
  value       = { for name, key in google_kms_crypto_key.this : name => key.id }
  # A key that its agent may not use yet encrypts nothing.
  depends_on = [google_kms_crypto_key_iam_member.agent]
}
