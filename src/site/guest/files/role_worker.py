"""A worker machine: Celery, and the scheduler, which runs on one of them at a time."""
import application
import expiry
import machine
from machine import run, write


def apply(context):
    changed = any(application.apply(context))
    machine.folder(application.HOME + "/run", mode=0o750, owner=application.USER)
    units = {
        "ils-worker.service": machine.filled("ils-worker.service", CONCURRENCY=context.thing["worker"]["concurrency"], NAME=context.name),
        "ils-scheduler.service": machine.shared_file("ils-scheduler.service"),
    }
    fresh = set()
    for name, text in units.items():
        if write(f"/etc/systemd/system/{name}", text, mode=0o644):
            fresh.add(name)
    if fresh:
        run("systemctl", "daemon-reload")
    for name in units:
        machine.unit(name, changed=changed or name in fresh)
    application.taken_up()


around = application.around


def health(context):
    return {"worker": machine.active("ils-worker.service"), "scheduler": machine.active("ils-scheduler.service"),
            "proxy": machine.active("haproxy.service")}


def facts(context):
    return {"version": application.release_version(), "scheduler": leads()}


def watch(context):
    if leads():
        expiry.watch(context)


def leads():
    return machine.read(application.HOME + "/run/scheduler") == "leading\n"
