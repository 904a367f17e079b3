# shellcheck shell=bash
# Placement.
config_placement() {
  cat > $ETC/placement/placement.conf <<E
[DEFAULT]
log_dir = $LOG
log_file = placement.log
[api]
auth_strategy = keystone
[placement_database]
connection = $(db placement)
$(authtoken placement)
E
}
