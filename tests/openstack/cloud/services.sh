# shellcheck shell=bash
# The services themselves, in the order in which they need one another.

services() {
  local B=$VENV/bin
  grep -q " $API_NAME\$" /etc/hosts || echo "127.0.0.1 $API_NAME" >> /etc/hosts
  api keystone 5000 keystone.wsgi.api OS_KEYSTONE_CONFIG_DIR=$ETC/keystone
  wait_http keystone http://127.0.0.1:5000/v3
  [ -e $VAR/.identity ] || { say "identity"; OSDEV=$OSDEV OSDEV_PASSWORD=$PW $B/python $HERE/bootstrap.py identity; touch $VAR/.identity; }
  say "services"
  api placement 8778 placement.wsgi.api OS_PLACEMENT_CONFIG_DIR=$ETC/placement
  api glance-api 9292 glance.wsgi.api OS_GLANCE_CONFIG_DIR=$ETC/glance
  api nova-api 8774 nova.wsgi.osapi_compute OS_NOVA_CONFIG_DIR=$ETC/nova
  [ -z "${OSDEV_METADATA:-}$OSDEV_MACHINES" ] || api nova-metadata 8775 nova.wsgi.metadata OS_NOVA_CONFIG_DIR=$ETC/nova
  api neutron-api 9696 neutron.wsgi.api OS_NEUTRON_CONFIG_DIR=$ETC/neutron "OS_NEUTRON_CONFIG_FILES=neutron.conf;ml2_conf.ini"
  run neutron-rpc $B/neutron-rpc-server --config-file $ETC/neutron/neutron.conf --config-file $ETC/neutron/ml2_conf.ini --log-file neutron-rpc.log
  run neutron-periodic $B/neutron-periodic-workers --config-file $ETC/neutron/neutron.conf --config-file $ETC/neutron/ml2_conf.ini --log-file neutron-periodic.log
  run nova-conductor $B/nova-conductor --config-file $ETC/nova/nova.conf
  run nova-scheduler $B/nova-scheduler --config-file $ETC/nova/nova.conf
  api cinder-api 8776 cinder.wsgi.api OS_CINDER_CONFIG_DIR=$ETC/cinder
  run cinder-scheduler $B/cinder-scheduler --config-file $ETC/cinder/cinder.conf
  run cinder-volume $B/cinder-volume --config-file $ETC/cinder/cinder.conf
  run cinder-backup $B/cinder-backup --config-file $ETC/cinder/cinder.conf
  api barbican-api 9311 barbican.wsgi.api
  for k in account container object proxy; do run swift-$k $B/swift-$k-server $ETC/swift/$k-server.conf -v; done
  wait_http neutron-api http://127.0.0.1:9696/
  run neutron-agents $B/python -m osdevfakes.$(machines neutron_wires neutron_agents) --config-file $ETC/neutron/neutron.conf --log-file neutron-agents.log
  if [ -n "$OSDEV_MACHINES" ]; then
    run package-proxy $B/python -m osdevfakes.package_proxy
    run api-forward $B/python -m osdevfakes.api_forward
    run octavia-heartbeats $B/python -m osdevfakes.octavia_haproxy --config-file $ETC/octavia/octavia.conf --log-file octavia-heartbeats.log
  fi
  wait_http placement http://127.0.0.1:8778/
  wait_http nova-api http://127.0.0.1:8774/
  run nova-compute $B/nova-compute --config-file $ETC/nova/nova-compute.conf
  if [ -n "${OSDEV_COMPUTE2:-}" ]; then   # a second host, for migrations and anti-affinity
    printf '[DEFAULT]\nhost = osdev2\n' > $ETC/neutron/host2.conf
    run neutron-agents2 $B/python -m osdevfakes.neutron_agents --config-file $ETC/neutron/neutron.conf --config-file $ETC/neutron/host2.conf --log-file neutron-agents2.log
    run nova-compute2 $B/nova-compute --config-file $ETC/nova/nova-compute2.conf --log-file nova-compute2.log
  fi
  run designate-central $B/designate-central --config-file $ETC/designate/designate.conf
  run designate-worker $B/designate-worker --config-file $ETC/designate/designate.conf
  run designate-producer $B/designate-producer --config-file $ETC/designate/designate.conf
  run designate-mdns $B/designate-mdns --config-file $ETC/designate/designate.conf
  api designate-api 9001 designate.wsgi.api OS_DESIGNATE_CONFIG_DIR=$ETC/designate
  api octavia-api 9876 octavia.wsgi.api
  run octavia-worker $B/octavia-worker --config-file $ETC/octavia/octavia.conf
  run octavia-driver-agent $B/octavia-driver-agent --config-file $ETC/octavia/octavia.conf
  wait_http glance-api http://127.0.0.1:9292/
  wait_http cinder-api http://127.0.0.1:8776/
  wait_http barbican-api http://127.0.0.1:9311/
  wait_http designate-api http://127.0.0.1:9001/
  wait_http octavia-api http://127.0.0.1:9876/
  wait_http swift-proxy http://127.0.0.1:8080/healthcheck
  if ! [ -e $VAR/.pools ]; then
    local i; for i in 1 2 3 4 5 6; do $B/designate-manage --config-file $ETC/designate/designate.conf pool update --file $ETC/designate/pools.yaml >>$LOG/pools.log 2>&1 && { touch $VAR/.pools; break; }; sleep 2; done
  fi
}
