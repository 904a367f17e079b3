output "url" {
  value = invenioils_instance.this.url
}

output "api_url" {
  value = invenioils_instance.this.api_url
}

output "public_address" {
  value = invenioils_environment.this.public_address
}

output "secret_store" {
  description = "Where passwords and keys are kept."
  value       = invenioils_environment.this.secret_store
}

output "admin_secret_id" {
  description = "Where the administrator's password lies: a reference, not the password."
  value       = invenioils_instance.this.secret_id
}

output "endpoints" {
  value = { for kind, service in invenioils_service.this : kind => service.endpoint }
}

output "certificate_not_after" {
  value = invenioils_certificate.this.not_after
}

output "backup_bucket" {
  value = invenioils_backup_policy.nightly.bucket
}
