output "url" {
  description = "Where readers and librarians go."
  value       = invenioils_instance.this.url
}

output "public_address" {
  description = "What the host name should point to."
  value       = invenioils_environment.this.public_address
}

output "installed_version" {
  value = invenioils_instance.this.installed_version
}

output "services" {
  description = "Where each service answers."
  value       = { for kind, service in invenioils_service.this : kind => "${service.endpoint.host}:${service.endpoint.port}" }
}

output "status" {
  value = {
    environment = invenioils_environment.this.status
    instance    = invenioils_instance.this.status
    services    = { for kind, service in invenioils_service.this : kind => service.status }
    certificate = invenioils_certificate.this.status
    backups     = invenioils_backup_policy.nightly.status
  }
}
