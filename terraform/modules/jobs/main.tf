# Work that ends: each job is a program of the image. All of them may be started again at any time, and go on where they were.
resource "google_cloud_run_v2_job" "this" {
  for_each = var.jobs

  project             = var.project_id
  name                = "${var.name}-${each.key}"
  location            = var.region
  deletion_protection = var.deletion_protection
  labels              = merge(var.labels, { component = each.key })

  template {
    task_count  = 1
    parallelism = 1
    labels      = merge(var.labels, { component = each.key })

    template {
      service_account       = each.value.service_account
      timeout               = "${each.value.timeout_minutes * 60}s"
      max_retries           = each.value.retries
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      encryption_key        = var.kms_key

      containers {
        name  = each.key
        image = var.image
        args  = each.value.args

        resources {
          limits = { cpu = each.value.cpu, memory = each.value.memory }
        }

        dynamic "env" {
          for_each = var.environment

          content {
            name  = env.key
            value = env.value
          }
        }
      }

      vpc_access {
        egress = "ALL_TRAFFIC"

        network_interfaces {
          network    = var.network
          subnetwork = var.subnetwork
        }
      }
    }
  }
}
