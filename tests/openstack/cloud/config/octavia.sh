# shellcheck shell=bash
# Octavia: Barbican's certificates, and VIPs that are real Neutron ports.
config_octavia() {
  cat > $ETC/octavia/octavia.conf <<E
[DEFAULT]
host = $HOST
log_dir = $LOG
transport_url = $RABBIT
[api_settings]
bind_host = 127.0.0.1
bind_port = 9876
api_base_uri = http://127.0.0.1:9876
auth_strategy = keystone
enabled_provider_drivers = amphora:'amphora',octavia:'alias of amphora',noop_driver:'noop'
default_provider_driver = amphora
allow_tls_terminated_listeners = true
allow_ping_health_monitors = true
[controller_worker]
workers = 1
amphora_driver = $(machines amphora_osdev_driver amphora_noop_driver)
compute_driver = $(machines osdev_amphora_compute_driver compute_osdev_driver)
network_driver = allowed_address_pairs_driver
image_driver = image_noop_driver
volume_driver = volume_noop_driver
amp_image_tag = amphora
client_ca = $ETC/octavia/ca.pem
amp_flavor_id = 1
amp_boot_network_list =
loadbalancer_topology = SINGLE
amp_active_retries = 3
amp_active_wait_sec = 1
[certificates]
cert_manager = barbican_cert_manager
cert_generator = local_cert_generator
ca_certificate = $ETC/octavia/ca.pem
ca_private_key = $ETC/octavia/ca.key
server_certs_key_passphrase = insecure-key-do-not-use-this-key
endpoint_type = publicURL
region_name = RegionOne
[haproxy_amphora]
base_path = $VAR/octavia/amphorae
base_cert_dir = $VAR/octavia/certs
connection_logging = false
client_cert = $ETC/octavia/client.pem
server_ca = $ETC/octavia/ca.pem
[health_manager]
heartbeat_key = insecure
bind_ip = 127.0.0.1
controller_ip_port_list = 127.0.0.1:5555
[networking]
allow_vip_network_id = true
[oslo_messaging]
topic = octavia_prov
event_stream_topic = octavia_event
[database]
connection = $(db octavia)
[task_flow]
engine = parallel
max_workers = 4
jobboard_enabled = false
[driver_agent]
status_socket_path = $RUN/octavia-status.sock
stats_socket_path = $RUN/octavia-stats.sock
get_socket_path = $RUN/octavia-get.sock
$(svcauth service_auth octavia)
$(svcauth neutron octavia)
endpoint_override = http://127.0.0.1:9696
valid_interfaces = public
$(authtoken octavia)
$(common octavia)
E
  if ! [ -e $ETC/octavia/client.pem ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout $ETC/octavia/ca.key -out $ETC/octavia/ca.pem -days 3650 -subj /CN=osdev-octavia-ca 2>/dev/null
    cat $ETC/octavia/ca.pem $ETC/octavia/ca.key > $ETC/octavia/client.pem
  fi
}
