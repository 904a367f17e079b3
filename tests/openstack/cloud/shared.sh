# shellcheck shell=bash
# Sections that the services' configuration files share, and the one function that writes all of them.

db() { echo "mysql+pymysql://osdev:$PW@127.0.0.1/$1?charset=utf8mb4"; }
RABBIT=rabbit://guest:guest@127.0.0.1:5672/

# authtoken USER
authtoken() { cat <<E
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:5000/v3
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = $1
password = $PW
project_name = service
user_domain_id = default
project_domain_id = default
region_name = RegionOne
memcached_servers = 127.0.0.1:11211
service_token_roles = service
service_token_roles_required = true
E
}
# svcauth SECTION USER
svcauth() { cat <<E
[$1]
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = $2
password = $PW
project_name = service
user_domain_id = default
project_domain_id = default
region_name = RegionOne
E
}
# $1: the service
common() { cat <<E
[DEFAULT]
# Each idle thread of a pool wakes once a second: 64 of them in each of a dozen processes have a quarter of a processor.
executor_thread_pool_size = 8
[oslo_messaging_rabbit]
rabbit_quorum_queue = false
rabbit_transient_quorum_queue = false
rabbit_ha_queues = false
amqp_durable_queues = false
[oslo_messaging_notifications]
driver = noop
[oslo_concurrency]
lock_path = $VAR/$1/lock
[oslo_policy]
enforce_scope = true
[oslo_middleware]
enable_proxy_headers_parsing = true
E
}

configure() {
  local service
  for service in $SERVICES; do
    mkdir -p $ETC/$service $VAR/$service/lock
    # A few WSGI entry points look only in /etc/<service>; a directory that somebody else made there is left alone.
    if [ -L /etc/$service ] || ! [ -e /etc/$service ]; then ln -sfn $ETC/$service /etc/$service; fi
    if [ -d $VENV/etc/$service ]; then cp -rn $VENV/etc/$service/. $ETC/$service/ 2>/dev/null || true; fi
    # rootwrap finds programs in exec_dirs only.
    [ ! -e $ETC/$service/rootwrap.conf ] || sed -i "s#^exec_dirs=.*#exec_dirs=$VENV/bin,/sbin,/usr/sbin,/bin,/usr/bin#; s#^use_syslog=True#use_syslog=False#" $ETC/$service/rootwrap.conf
  done
  for service in $SERVICES; do config_$service; done
}
