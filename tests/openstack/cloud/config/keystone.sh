# shellcheck shell=bash
# Keystone: fernet tokens, cheap password hashes, no limit of application credentials.
config_keystone() {
  cat > $ETC/keystone/keystone.conf <<E
[DEFAULT]
log_dir = $LOG
log_file = keystone.log
public_endpoint = http://127.0.0.1:5000/
max_token_size = 512
[database]
connection = $(db keystone)
max_pool_size = 10
[cache]
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = 127.0.0.1:11211
[token]
provider = fernet
expiration = 86400
[fernet_tokens]
key_repository = $VAR/keystone/fernet-keys
[credential]
key_repository = $VAR/keystone/credential-keys

[identity]
password_hash_algorithm = bcrypt
password_hash_rounds = 4
[application_credential]
user_limit = -1
E
}
