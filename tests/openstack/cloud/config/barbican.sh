# shellcheck shell=bash
# Barbican: the simple crypto plugin.
config_barbican() {
  cat > $ETC/barbican/barbican.conf <<E
[DEFAULT]
log_dir = $LOG
log_file = barbican.log
host_href = http://127.0.0.1:9311
transport_url = $RABBIT
max_allowed_secret_in_bytes = 20000
max_allowed_request_size_in_bytes = 50000
[database]
connection = $(db barbican)
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg=
[queue]
enable = false
$(authtoken barbican)
# Without it tokens of application credentials with access rules, which machines have, are refused.
service_type = key-manager
$(common barbican)
E
}
