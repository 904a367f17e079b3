# A library in a network that somebody else looks after: the network, its subnet and its router are used, never changed.

terraform {
  required_providers {
    invenioils = {
      source = "inveniosoftware/invenioils"
    }
  }
}

variable "cloud" {
  type    = string
  default = null
}

variable "network_id" {
  type = string
}

variable "subnet_id" {
  type = string
}

variable "external_network" {
  type    = string
  default = null
}

provider "invenioils" {
  openstack = { cloud = var.cloud }
}

resource "invenioils_environment" "this" {
  name = "branch"
  network = {
    external_network = var.external_network
    existing = {
      network_id = var.network_id
      subnet_id  = var.subnet_id
    }
  }
}

resource "invenioils_service" "this" {
  for_each       = toset(["database", "search", "cache", "queue", "storage"])
  environment_id = invenioils_environment.this.id
  kind           = each.key

  deletion_protection = false
}

resource "invenioils_instance" "this" {
  environment_id = invenioils_environment.this.id
  hostname       = "branch.example.org"
  services       = { for kind, service in invenioils_service.this : kind => service.id }
  insecure_http  = true # behind another proxy that speaks TLS
  web            = { nodes = 1 }

  deletion_protection = false
}

output "network_id" {
  value = invenioils_environment.this.network_id
}

output "url" {
  value = invenioils_instance.this.url
}
