# shellcheck shell=bash
# Designate: a real BIND behind it. poll_delay must not be 0, or recordsets stay PENDING for a minute.
config_designate() {
  cat > $ETC/designate/designate.conf <<E
[DEFAULT]
host = $HOST
log_dir = $LOG
state_path = $VAR/designate
transport_url = $RABBIT
root_helper =
default_ttl = 3600
quota_zones = 100
quota_zone_recordsets = 500
quota_zone_records = 500
[service:api]
listen = 127.0.0.1:9001
auth_strategy = keystone
api_base_uri = http://127.0.0.1:9001
enable_api_v2 = true
enable_api_admin = true
enabled_extensions_admin = quotas,reports
enable_host_header = true
api_paste_config = $ETC/designate/api-paste.ini
workers = 1
[service:central]
workers = 1
threads = 20
managed_resource_email = hostmaster@osdev.example
managed_resource_tenant_id = 00000000-0000-0000-0000-000000000000
[service:mdns]
workers = 1
listen = 127.0.0.1:5354
[service:producer]
workers = 1
[producer_task:worker_periodic_recovery]
interval = 60
[service:worker]
workers = 1
threads = 20
poll_timeout = 5
poll_retry_interval = 1
poll_max_retries = 10
poll_delay = 2
threshold_percentage = 100
serial_max_retries = 3
serial_retry_delay = 1
[storage:sqlalchemy]
connection = $(db designate)
[heartbeat_emitter]
heartbeat_interval = 60
[coordination]
backend_url = memcached://127.0.0.1:11211
$(authtoken designate)
$(common designate)
E
  cat > $ETC/designate/pools.yaml <<E
- name: default
  description: one real BIND on 127.0.0.1:5353, fed by designate-mdns
  attributes: {}
  ns_records:
    - hostname: ns1.osdev.example.
      priority: 1
  nameservers:
    - host: 127.0.0.1
      port: 5353
  targets:
    - type: bind9
      description: bind9
      masters:
        - host: 127.0.0.1
          port: 5354
      options:
        host: 127.0.0.1
        port: 5353
        rndc_host: 127.0.0.1
        rndc_port: 953
        rndc_bin_path: /usr/sbin/rndc
        rndc_config_file: $ETC/named/rndc.conf
        clean_zonefile: true
E
  mkdir -p $ETC/named $VAR/named
  local k='key "osdev" { algorithm hmac-sha256; secret "b3NkZXYtcm5kYy1rZXktb3NkZXYtcm5kYy1rZXktMDE="; };'
  echo "$k options { default-key \"osdev\"; default-server 127.0.0.1; default-port 953; };" > $ETC/named/rndc.conf
  cat > $ETC/named/named.conf <<E
$k
controls { inet 127.0.0.1 port 953 allow { 127.0.0.1; } keys { "osdev"; }; };
options {
  directory "$VAR/named"; pid-file none; session-keyfile "$VAR/named/session.key"; lock-file none;
  listen-on port 5353 { 127.0.0.1; }; listen-on-v6 { none; };
  allow-new-zones yes; recursion no; dnssec-validation no; notify no; minimal-responses yes;
  allow-notify { 127.0.0.1; }; allow-query { any; }; empty-zones-enable no; max-cache-size 8M; servfail-ttl 0;
};
E
}
