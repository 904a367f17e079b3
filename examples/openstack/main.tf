# A small library on OpenStack. Signs in as the command line tools do: clouds.yaml and OS_CLOUD, or the OS_* variables.

terraform {
  required_version = ">= 1.8"
  required_providers {
    invenioils = {
      source = "inveniosoftware/invenioils"
    }
  }
}

provider "invenioils" {
  openstack    = { cloud = var.cloud }
  owner        = var.owner
  default_tags = { managed-by = "terraform" }
}

resource "invenioils_environment" "this" {
  name    = var.name
  network = { external_network = var.external_network }
  dns     = { zone = var.zone, manage_zone = var.manage_zone }
}

resource "invenioils_service" "this" {
  for_each       = toset(["database", "search", "cache", "queue", "storage"])
  environment_id = invenioils_environment.this.id
  kind           = each.key

  deletion_protection = var.deletion_protection
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = [var.hostname]
  self_signed    = {}
}

resource "invenioils_instance" "this" {
  environment_id = invenioils_environment.this.id
  hostname       = var.hostname
  services       = { for kind, service in invenioils_service.this : kind => service.id }
  certificate_id = invenioils_certificate.this.id
  web            = { nodes = 2 }
  worker         = { nodes = 1 }

  deletion_protection = var.deletion_protection
}

resource "invenioils_backup_policy" "nightly" {
  environment_id  = invenioils_environment.this.id
  service_ids     = [invenioils_service.this["database"].id, invenioils_service.this["storage"].id]
  schedule        = "0 3 * * *"
  retention       = { daily = 7, weekly = 4, monthly = 6 }
  keep_on_destroy = var.deletion_protection
}
