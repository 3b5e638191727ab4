# Workers pull, so nothing calls them: no port, no probe. When an instance is told to end it has ten seconds: it stops pulling, commits or
# gives back what it holds, and ends. What it could not finish comes again, and counts once.
resource "google_cloud_run_v2_worker_pool" "this" {
  project             = var.project_id
  name                = var.name
  location            = var.region
  deletion_protection = var.deletion_protection
  launch_stage        = var.launch_stage
  labels              = var.labels

  scaling {
    scaling_mode          = var.instances.min == var.instances.max ? "MANUAL" : "AUTOMATIC"
    manual_instance_count = var.instances.min == var.instances.max ? var.instances.min : null
    min_instance_count    = var.instances.min == var.instances.max ? null : var.instances.min
    max_instance_count    = var.instances.min == var.instances.max ? null : var.instances.max
  }

  template {
    service_account = var.service_account
    encryption_key  = var.kms_key
    labels          = var.labels

    containers {
      name  = "worker"
      image = var.image
      args  = var.args

      resources {
        limits = { cpu = var.cpu, memory = var.memory }
      }

      dynamic "env" {
        for_each = var.environment

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_environment

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }

    dynamic "containers" {
      for_each = var.collector == null ? [] : [var.collector]

      content {
        name  = "collector"
        image = containers.value.image
        args  = ["--config=env:COLLECTOR_CONFIG"]

        env {
          name  = "COLLECTOR_CONFIG"
          value = containers.value.config
        }

        resources {
          limits = { cpu = "0.5", memory = "512Mi" }
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
