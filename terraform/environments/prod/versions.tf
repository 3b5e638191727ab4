terraform {
  required_version = ">= 1.9"

  # The bucket is given when it is initialised: `terraform init -backend-config=bucket=…`.
  backend "gcs" {
    prefix = "millrace/prod"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
  # Interfaces that are not of a project, such as that of budgets, ask which one pays for the call.
  user_project_override = true
  billing_project       = var.project_id
}
