# A large library: several nodes of everything that can have several, sizes chosen by kind, and backups twice.

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

variable "external_network" {
  type    = string
  default = null
}

provider "invenioils" {
  openstack             = { cloud = var.cloud }
  max_parallel_requests = 24
  default_tags          = { site = "main" }
}

locals {
  services = {
    database = { nodes = 2, size = "medium", disk_gib = 100, settings = { max_connections = "300" } }
    search   = { nodes = 3, size = "medium", disk_gib = 50, settings = {} }
    cache    = { nodes = 3, size = "small", disk_gib = null, settings = {} }
    queue    = { nodes = 3, size = "small", disk_gib = 10, settings = {} }
    storage  = { nodes = 1, size = "small", disk_gib = null, settings = {} }
  }
}

resource "invenioils_environment" "this" {
  name = "main"
  network = {
    cidr             = "10.40.0.0/23"
    external_network = var.external_network
    dns_nameservers  = ["9.9.9.9", "149.112.112.112"]
  }
  access = {
    allowed_cidrs = ["0.0.0.0/0"]
    ssh_cidrs     = ["192.0.2.0/24"]
  }
  tags = { tier = "production" }
}

resource "invenioils_service" "this" {
  for_each       = local.services
  environment_id = invenioils_environment.this.id
  kind           = each.key
  nodes          = each.value.nodes
  size           = each.value.size
  disk_gib       = each.value.disk_gib
  settings       = each.value.settings

  maintenance_window  = { day = "sunday", hour = 4, timezone = "Europe/Zurich" }
  deletion_protection = false
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["main.example.org", "catalogue.example.org"]
  key_type       = "rsa-2048"
  self_signed    = { validity_days = 90 }
}

resource "invenioils_instance" "this" {
  environment_id       = invenioils_environment.this.id
  hostname             = "main.example.org"
  additional_hostnames = ["catalogue.example.org"]
  services             = { for kind, service in invenioils_service.this : kind => service.id }
  certificate_id       = invenioils_certificate.this.id

  web           = { nodes = 3, size = "medium", processes = 4, threads = 2 }
  worker        = { nodes = 2, size = "medium", concurrency = 4 }
  load_balancer = { max_body_mib = 500, idle_timeout = "120s" }
  site = {
    name          = "Main Library"
    support_email = "help@example.org"
    timezone      = "Europe/Zurich"
    languages     = ["en", "fr", "de"]
  }
  config = { INVENIO_ILS_CIRCULATION_LOAN_WILL_EXPIRE_DAYS = "7" }

  deletion_protection = false
}

resource "invenioils_backup_policy" "nightly" {
  environment_id     = invenioils_environment.this.id
  name               = "nightly"
  service_ids        = [for service in invenioils_service.this : service.id]
  schedule           = "30 2 * * *"
  timezone           = "Europe/Zurich"
  retention          = { daily = 14, weekly = 8, monthly = 12, yearly = 3 }
  point_in_time_days = 7
  verify_schedule    = "0 5 * * 6"
  keep_on_destroy    = false
}

resource "invenioils_backup_policy" "hourly" {
  environment_id  = invenioils_environment.this.id
  name            = "hourly"
  service_ids     = [invenioils_service.this["database"].id]
  schedule        = "5 8-18 * * 1-5"
  retention       = { last = 24 }
  keep_on_destroy = false
}

output "url" {
  value = invenioils_instance.this.url
}

output "nodes" {
  description = "Every machine, by service."
  value = merge(
    { for kind, service in invenioils_service.this : kind => [for node in service.node_status : node.name] },
    { instance = [for node in invenioils_instance.this.node_status : node.name] },
  )
}
