resource "invenioils_environment" "this" {
  name = "library"
}

resource "invenioils_service" "database" {
  environment_id = invenioils_environment.this.id
  kind           = "database"
  size           = "medium"
  disk_gib       = 40
  settings       = { max_connections = "200" }

  deletion_protection = false
}

# One that exists already: nothing is made, and the application is told where it is.
resource "invenioils_service" "cache" {
  environment_id = invenioils_environment.this.id
  kind           = "cache"

  external = {
    host                = "redis.example.org"
    port                = 6379
    tls                 = true
    password_wo         = "from-a-secret-store"
    password_wo_version = 1
  }
}
