# Small, cheap, and open to being thrown away: a tenth of a node, one worker, no key of its own.
module "platform" {
  source = "../../modules/platform"

  project_id  = var.project_id
  region      = var.region
  environment = "dev"
  image       = var.image
  producers   = var.producers

  spanner = { edition = "STANDARD", processing_units = 100, backup_days = 8 }
  # Reached over the internet by whoever is let in, so that it can be tried without a load balancer.
  api                 = { instances = { min = 0, max = 2 }, cpu = "1", memory = "1Gi", ingress = "INGRESS_TRAFFIC_ALL", invokers = var.invokers }
  workers             = { instances = { min = 1, max = 1 }, cpu = "1", memory = "1Gi" }
  dataflow            = var.dataflow
  dataflow_launchers  = var.dataflow_launchers
  deletion_protection = false
  alerts              = { emails = var.alert_emails, measured = var.measured }
}
