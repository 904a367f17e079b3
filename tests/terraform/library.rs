//! Configurations that several tests start from.

/// A provider on a simulator of this file.
pub fn provider(path: &str) -> String {
    format!("provider \"invenioils\" {{\n  simulator = {{ path = \"{path}\" }}\n}}\n")
}

/// The smallest whole library: every required attribute and no other, but that nothing is protected.
pub const SMALL: &str = r#"
resource "invenioils_environment" "this" {
  name = "library"
}

resource "invenioils_service" "this" {
  for_each            = toset(["database", "search", "cache", "queue", "storage"])
  environment_id      = invenioils_environment.this.id
  kind                = each.key
  deletion_protection = false
}

resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["library.example.org"]
  self_signed    = {}
}

resource "invenioils_instance" "this" {
  environment_id      = invenioils_environment.this.id
  hostname            = "library.example.org"
  services            = { for kind, service in invenioils_service.this : kind => service.id }
  certificate_id      = invenioils_certificate.this.id
  deletion_protection = false
}

resource "invenioils_backup_policy" "this" {
  environment_id  = invenioils_environment.this.id
  service_ids     = [invenioils_service.this["database"].id]
  schedule        = "0 3 * * *"
  retention       = { daily = 7 }
  keep_on_destroy = false
}
"#;

/// Address and id of everything in [`SMALL`].
pub const THINGS: [(&str, &str); 9] = [
    ("invenioils_environment.this", "library"),
    ("invenioils_service.this[\"database\"]", "library/database"),
    ("invenioils_service.this[\"search\"]", "library/search"),
    ("invenioils_service.this[\"cache\"]", "library/cache"),
    ("invenioils_service.this[\"queue\"]", "library/queue"),
    ("invenioils_service.this[\"storage\"]", "library/storage"),
    ("invenioils_certificate.this", "library/certificate"),
    ("invenioils_instance.this", "library/ils"),
    ("invenioils_backup_policy.this", "library/backups"),
];

pub fn simulated() -> String {
    format!("{}{SMALL}", provider(".invenioils/simulator.sqlite"))
}
