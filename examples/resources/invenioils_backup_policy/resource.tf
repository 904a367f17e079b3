resource "invenioils_environment" "this" {
  name = "library"
}

resource "invenioils_service" "database" {
  environment_id = invenioils_environment.this.id
  kind           = "database"

  deletion_protection = false
}

resource "invenioils_backup_policy" "nightly" {
  environment_id = invenioils_environment.this.id
  service_ids    = [invenioils_service.database.id]
  schedule       = "0 3 * * *"
  timezone       = "Europe/Zurich"
  retention      = { daily = 7, weekly = 4, monthly = 6 }

  keep_on_destroy = false
}
