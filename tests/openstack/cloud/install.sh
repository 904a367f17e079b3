# shellcheck shell=bash
# What the control plane needs on this machine: Debian's or Ubuntu's own packages, and one Python environment for the
# ten services. Everything is skipped when it is there. Uses the package sources that the machine is set up for.

PACKAGES="mariadb-server rabbitmq-server memcached bind9 bind9-utils bind9-dnsutils qemu-utils openssl curl procps python3-venv"
MACHINE_PACKAGES="haproxy dnsmasq-base nftables iptables systemd-container mmdebstrap e2fsprogs zstd"

install() {
  local program missing=
  for program in /usr/sbin/mariadbd /usr/lib/rabbitmq/bin/rabbitmq-server /usr/bin/memcached /usr/sbin/named /usr/sbin/rndc qemu-img openssl curl; do
    command -v $program >/dev/null || missing=1
  done
  $PY -c 'import ensurepip, venv' 2>/dev/null || missing=1
  [ -z "$missing" ] || packages $PACKAGES
  if [ -n "$OSDEV_MACHINES" ]; then
    missing=
    for program in haproxy dnsmasq nft iptables-restore systemd-nspawn mmdebstrap mkfs.ext4 zstd; do command -v $program >/dev/null || missing=1; done
    [ -z "$missing" ] || packages $MACHINE_PACKAGES
    if ! [ -e $OSDEV/debian-12.tar ]; then
      say "an image whose machines boot"
      $HERE/make-image $OSDEV/debian-12.tar >$LOG/make-image.log 2>&1 || { say "make-image failed"; tail -5 $LOG/make-image.log; return 1; }
    fi
  fi
  environment
  plugins
}

# Installs packages without starting their daemons on the machine: ours are started by hand, on loopback.
packages() {
  say "apt: $*"
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; policy=ours; }
  # An archive folder of our own: another apt-get on the machine empties the shared one. A run cut short is mended first.
  local apt="apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives=$OSDEV/apt" try
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p $OSDEV/apt/partial
  apt-get update -qq || true
  for try in 1 2 3; do
    { dpkg --configure -a && $apt --fix-broken --no-install-recommends install && $apt --no-install-recommends install "$@"; } >>$LOG/apt.log 2>&1 && break
    [ $try = 3 ] && { say "apt failed"; tail -5 $LOG/apt.log; return 1; }
    sleep 10
  done
  rm -rf $OSDEV/apt
  [ "${policy:-}" != ours ] || rm -f /usr/sbin/policy-rc.d
}

# One environment holds all ten services; the versions are those of requirements.lock.
environment() {
  local sum; sum=$(sha256sum < $HERE/requirements.lock)
  [ "$(cat $VENV/.installed 2>/dev/null)" = "$sum" ] && return 0
  say "pip: $(grep -c == $HERE/requirements.lock) wheels"
  [ -x $VENV/bin/python ] || $PY -m venv $VENV
  $VENV/bin/pip install -q uv
  $VENV/bin/uv pip install -q --python $VENV/bin/python -r $HERE/requirements.lock
  echo "$sum" > $VENV/.installed
}

# Our stand-ins for what a machine without a hypervisor lacks. Nova imports drivers from its own package only.
plugins() {
  local sum; sum=$(cd $HERE/plugins && find . -type f \( -name '*.py' -o -name '*.toml' \) | sort | xargs sha256sum | sha256sum)
  [ "$(cat $VENV/.plugins 2>/dev/null)" = "$sum" ] && return 0
  local site; site=$($VENV/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  rm -rf $OSDEV/plugins; cp -r $HERE/plugins $OSDEV/plugins
  $VENV/bin/uv pip install -q --reinstall --no-deps --python $VENV/bin/python $OSDEV/plugins
  cp $HERE/plugins/osdevfakes/nova_virt_osdev.py $site/nova/virt/osdev.py
  cp $HERE/plugins/osdevfakes/nova_virt_machines.py $site/nova/virt/osdev_machines.py
  echo "$sum" > $VENV/.plugins
}
