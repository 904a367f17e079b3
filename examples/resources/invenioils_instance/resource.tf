resource "invenioils_environment" "this" {
  name = "library"
}

resource "invenioils_service" "this" {
  for_each       = toset(["database", "search", "cache", "queue", "storage"])
  environment_id = invenioils_environment.this.id
  kind           = each.key

  deletion_protection = false
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["library.example.org"]
  self_signed    = {}
}

resource "invenioils_instance" "this" {
  environment_id = invenioils_environment.this.id
  hostname       = "library.example.org"
  services       = { for kind, service in invenioils_service.this : kind => service.id }
  certificate_id = invenioils_certificate.this.id

  web    = { nodes = 2, size = "small" }
  worker = { nodes = 1, concurrency = 2 }

  site = {
    name          = "Example Library"
    support_email = "help@example.org"
    timezone      = "Europe/Zurich"
  }

  deletion_protection = false
}
