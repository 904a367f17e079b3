# shellcheck shell=bash
# What the services stand on: MariaDB, RabbitMQ, BIND and memcached, all on loopback; and the database schemas.

MYSQL() { mysql --no-defaults -uroot -S $RUN/mysql.sock "$@"; }

at_least() { [ "$(sysctl -n "$1")" -ge "$2" ] || sysctl -qw "$1=$2"; }

infrastructure() {
  if [ -n "$OSDEV_MACHINES" ]; then
    # Each machine's init watches its own; a kernel's usual 128 are used up by twenty machines, and the next one does not start.
    at_least fs.inotify.max_user_instances 4096 || say "few machines can run at a time"
    # A machine in a container has its host's.
    at_least vm.max_map_count 262144 || say "search engines may run short of maps"
  fi
  if ! [ -d $VAR/mysql/mysql ]; then
    mkdir -p $VAR/mysql; mariadb-install-db --no-defaults --user=root --datadir=$VAR/mysql --auth-root-authentication-method=socket --skip-test-db >$LOG/mysql-install.log 2>&1
  fi
  run mysql /usr/sbin/mariadbd --no-defaults --user=root --datadir=$VAR/mysql --socket=$RUN/mysql.sock --pid-file=$RUN/mysql.self.pid \
    --bind-address=127.0.0.1 --port=3306 --max-connections=2000 --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=0 \
    --innodb-doublewrite=0 --sync-binlog=0 --skip-log-bin --performance-schema=off --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci --skip-name-resolve
  # epmd by hand, else the Erlang VM leaves a daemon of its own on 0.0.0.0
  run epmd "$(ls /usr/lib/erlang/erts-*/bin/epmd | tail -1)" -address 127.0.0.1
  mkdir -p $VAR/rabbitmq/mnesia
  [ -s $VAR/rabbitmq/.erlang.cookie ] || { echo osdevcookie > $VAR/rabbitmq/.erlang.cookie; chmod 400 $VAR/rabbitmq/.erlang.cookie; }
  printf 'listeners.tcp.1 = 127.0.0.1:5672\nvm_memory_high_watermark.relative = 0.3\ndisk_free_limit.absolute = 50MB\nlog.console = true\nlog.console.level = warning\nlog.file = false\n' > $ETC/rabbitmq.conf
  : > $ETC/rabbitmq-env.conf; echo '[].' > $ETC/rabbitmq-plugins
  run rabbitmq env HOME=$VAR/rabbitmq RABBITMQ_NODENAME=osdev@localhost RABBITMQ_CONFIG_FILE=$ETC/rabbitmq.conf RABBITMQ_CONF_ENV_FILE=$ETC/rabbitmq-env.conf \
    RABBITMQ_ENABLED_PLUGINS_FILE=$ETC/rabbitmq-plugins RABBITMQ_MNESIA_BASE=$VAR/rabbitmq/mnesia RABBITMQ_LOG_BASE=$LOG RABBITMQ_PID_FILE=$RUN/rabbitmq.self.pid \
    ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none' \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  run named /usr/sbin/named -g -n 1 -c $ETC/named/named.conf
  run memcached /usr/bin/memcached -u root -l 127.0.0.1 -p 11211 -m 64 -c 4096
  local i; for i in $(seq 1 120); do MYSQL -e 'select 1' >/dev/null 2>&1 && break; sleep 0.25; done
  MYSQL -e "create user if not exists 'osdev'@'127.0.0.1' identified by '$PW'; create user if not exists 'osdev'@'localhost' identified by '$PW'; grant all on *.* to 'osdev'@'127.0.0.1'; grant all on *.* to 'osdev'@'localhost'"
  wait_port 5672; wait_port 11211
}

schemas() {
  [ -e $VAR/.schemas ] && return 0
  local d; for d in keystone placement glance nova_api nova_cell0 nova_cell1 neutron cinder octavia designate barbican; do MYSQL -e "create database if not exists $d character set utf8mb4"; done
  local B=$VENV/bin
  say "database schemas"
  # two lanes, for two cores
  # What an interrupted run made is not made again. (`grep -q` would end before the list does, and that is an error.)
  ( set -e
    $B/nova-manage --config-file $ETC/nova/nova.conf api_db sync
    $B/nova-manage --config-file $ETC/nova/nova.conf cell_v2 map_cell0 --database_connection "$(db nova_cell0)"
    $B/nova-manage --config-file $ETC/nova/nova.conf cell_v2 list_cells | grep ' cell1 ' >/dev/null || $B/nova-manage --config-file $ETC/nova/nova.conf cell_v2 create_cell --name cell1
    $B/nova-manage --config-file $ETC/nova/nova.conf db sync
    $B/cinder-manage --config-file $ETC/cinder/cinder.conf db sync
    $B/octavia-db-manage --config-file $ETC/octavia/octavia.conf upgrade head
  ) >$LOG/schemas-1.log 2>&1 & local a=$!
  ( set -e
    $B/keystone-manage --config-file $ETC/keystone/keystone.conf db_sync
    $B/keystone-manage --config-file $ETC/keystone/keystone.conf fernet_setup --keystone-user root --keystone-group root
    $B/keystone-manage --config-file $ETC/keystone/keystone.conf credential_setup --keystone-user root --keystone-group root
    $B/keystone-manage --config-file $ETC/keystone/keystone.conf bootstrap --bootstrap-password $PW --bootstrap-region-id RegionOne \
      --bootstrap-admin-url http://127.0.0.1:5000/v3 --bootstrap-internal-url http://127.0.0.1:5000/v3 --bootstrap-public-url http://127.0.0.1:5000/v3
    $B/neutron-db-manage --config-file $ETC/neutron/neutron.conf --config-file $ETC/neutron/ml2_conf.ini upgrade heads
    $B/placement-manage --config-file $ETC/placement/placement.conf db sync
    $B/glance-manage --config-file $ETC/glance/glance-api.conf db_sync
    $B/barbican-manage db upgrade
    $B/designate-manage --config-file $ETC/designate/designate.conf database sync
  ) >$LOG/schemas-2.log 2>&1 & local b=$!
  wait $a || { say "schemas failed"; tail -20 $LOG/schemas-1.log; return 1; }
  wait $b || { say "schemas failed"; tail -20 $LOG/schemas-2.log; return 1; }
  touch $VAR/.schemas
}
