resource "invenioils_environment" "this" {
  name = "library"
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["library.example.org", "www.library.example.org"]
  self_signed    = { validity_days = 365 }
}
