# A whole library on the simulator: a cloud in one file beside this one. No account, no network, nothing to pay.

terraform {
  required_providers {
    invenioils = {
      source = "inveniosoftware/invenioils"
    }
  }
}

provider "invenioils" {
  simulator = {}
}

# Where everything lives: the network, who may talk to whom, and the public address.
resource "invenioils_environment" "this" {
  name = "library"
}

# What keeps data. Services come before the application and outlive it.
resource "invenioils_service" "this" {
  for_each       = toset(["database", "search", "cache", "queue", "storage"])
  environment_id = invenioils_environment.this.id
  kind           = each.key

  # A real library leaves this away: what holds data is protected unless one says otherwise.
  deletion_protection = false
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["library.example.org"]
  self_signed    = {}
}

# The application itself.
resource "invenioils_instance" "this" {
  environment_id = invenioils_environment.this.id
  hostname       = "library.example.org"
  services       = { for kind, service in invenioils_service.this : kind => service.id }
  certificate_id = invenioils_certificate.this.id
  web            = { nodes = 2 }
  worker         = { nodes = 1 }

  deletion_protection = false
}

resource "invenioils_backup_policy" "nightly" {
  environment_id = invenioils_environment.this.id
  service_ids    = [invenioils_service.this["database"].id, invenioils_service.this["storage"].id]
  schedule       = "0 3 * * *"
  retention      = { daily = 7, weekly = 4, monthly = 6 }
}
