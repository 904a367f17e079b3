# Environment and name; "backups" unless a name was given.
terraform import invenioils_backup_policy.nightly library/backups
