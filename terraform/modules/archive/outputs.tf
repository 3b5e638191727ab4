output "bucket" {
  description = "Name of the bucket, once Pub/Sub may write to it."
  value       = google_storage_bucket.this.name
  # A subscription is refused while its agent may not write.
  depends_on = [google_storage_bucket_iam_member.agent]
}
