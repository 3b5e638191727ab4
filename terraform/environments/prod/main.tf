# Sized for some 1,000 events a second, with room to grow to ten times that by itself (docs/cost.md).
module "platform" {
  source = "../../modules/platform"

  project_id  = var.project_id
  region      = var.region
  environment = "prod"
  image       = var.image
  producers   = var.producers

  spanner = {
    edition     = "ENTERPRISE"
    autoscaling = { min_processing_units = 1000, max_processing_units = 20000 }
  }
  # Behind a load balancer, which is not declared here.
  api                 = { instances = { min = 2, max = 20 }, public = var.public, invokers = var.invokers }
  workers             = { instances = { min = 2, max = 40 } }
  cmek                = true
  dataflow            = var.dataflow
  dataflow_launchers  = var.dataflow_launchers
  deletion_protection = true
  alerts              = { emails = var.alert_emails, measured = var.measured }
  budget              = var.budget
}
