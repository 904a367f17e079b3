# shellcheck shell=bash
# Swift: one replica of everything; s3token must stand before authtoken.
config_swift() {
  local E=$ETC/swift D=$VAR/swift/srv
  mkdir -p $D/d1 $VAR/swift/cache
  cat > $E/swift.conf <<E
[swift-hash]
swift_hash_path_prefix = osdev
swift_hash_path_suffix = osdev
[storage-policy:0]
name = Policy-0
default = yes
[swift-constraints]
max_file_size = 5368709122
E
  for t in account:6202 container:6201 object:6200; do local k=${t%:*} p=${t#*:}
    cat > $E/$k-server.conf <<E
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $p
workers = 0
user = root
swift_dir = $E
devices = $D
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = healthcheck $k-server
[app:$k-server]
use = egg:swift#$k
set log_level = WARNING
$( [ $k = container ] && echo 'allow_versions = true' )
[filter:healthcheck]
use = egg:swift#healthcheck
[$k-replicator]
[$k-auditor]
$( [ $k != account ] && printf "[$k-updater]\ninterval = 30\n" || printf '[account-reaper]\ninterval = 30\n')
E
    if ! [ -e $E/$k.ring.gz ]; then
      (cd $E && $VENV/bin/swift-ring-builder $k.builder create 4 1 1 && $VENV/bin/swift-ring-builder $k.builder add r1z1-127.0.0.1:$p/d1 1 && $VENV/bin/swift-ring-builder $k.builder rebalance) >/dev/null
    fi
  done
  cat > $E/proxy-server.conf <<E
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = 8080
workers = 0
user = root
swift_dir = $E
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck osdev-fault proxy-logging cache listing_formats container_sync bulk tempurl ratelimit s3api authtoken s3token keystoneauth staticweb copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:osdev-fault]
paste.filter_factory = osdevfakes.fault:filter_factory
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:11211
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:container_sync]
use = egg:swift#container_sync
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:ratelimit]
use = egg:swift#ratelimit
[filter:s3api]
use = egg:swift#s3api
location = RegionOne
s3_acl = false
[filter:s3token]
use = egg:swift#s3token
auth_uri = http://127.0.0.1:5000/v3
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = swift
password = $PW
project_name = service
user_domain_id = default
project_domain_id = default
secret_cache_duration = 60
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = http://127.0.0.1:5000/v3
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = swift
password = $PW
project_name = service
user_domain_id = default
project_domain_id = default
delay_auth_decision = true
cache = swift.cache
include_service_catalog = false
service_token_roles = service
service_token_roles_required = true
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member, swiftoperator
reseller_admin_role = ResellerAdmin
[filter:staticweb]
use = egg:swift#staticweb
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
E
  : > $E/container-sync-realms.conf
}
