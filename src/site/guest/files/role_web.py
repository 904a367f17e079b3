"""A web machine: nginx with the user interface in front, the application behind it on the loopback."""
import os
import shutil
import urllib.request

import application
import keeper
import machine
from machine import run, write

PORT = 8080
WWW = "/srv/www"


def apply(context):
    web = context.thing["web"]
    if application.outdated() and context.thing["version"] == application.release_version():
        raise machine.Trouble("the site's data is of a newer version than this machine's, which therefore serves nothing more; the apply that "
                              "began the upgrade replaces it: apply again if it has ended")
    more = ["nginx-light"] + (["uwsgi-core", "uwsgi-plugin-python3"] if web["server"] == "uwsgi" else [])
    changed, read_again = application.apply(context, more)
    frontend(context)
    changed |= server(context, web)
    if read_again and not changed and machine.active("ils-web.service") == "ready":
        # one process after the other, so that somebody always answers
        run("systemctl", "reload", "ils-web.service")
    machine.unit("ils-web.service", changed=changed)
    if write("/etc/systemd/system/ils-gate.service", machine.shared_file("ils-gate.service"), mode=0o644):
        run("systemctl", "daemon-reload")
        changed = True
    machine.unit("ils-gate.service", changed=changed or read_again)
    application.taken_up()
    nginx(context)
    machine.until(180, lambda: ping(context) == "ready", "the application's first answer")
    write(keeper.SERVING, "", mode=0o644)


def server(context, web):
    """uWSGI or Gunicorn; one process at least, and threads as asked for."""
    if web["server"] == "uwsgi":
        changed = write(application.ETC + "/uwsgi.ini", machine.filled("uwsgi.ini", PROCESSES=web["processes"], THREADS=web["threads"]), mode=0o644)
        command = f"/usr/bin/uwsgi --ini {application.ETC}/uwsgi.ini"
        again = f"/bin/sh -c 'echo c > {application.HOME}/uwsgi.fifo'"
    else:
        changed = False
        command = (f"{application.CURRENT}/venv/bin/gunicorn -b 127.0.0.1:5000 -w {web['processes']} --threads {web['threads']} "
                   "--max-requests 1000 --max-requests-jitter 200 --timeout 120 --graceful-timeout 30 --forwarded-allow-ips 127.0.0.1 invenio_app.wsgi:application")
        again = "/bin/kill -HUP $MAINPID"
    if write("/etc/systemd/system/ils-web.service", machine.filled("ils-web.service", COMMAND=command, AGAIN=again), mode=0o644):
        run("systemctl", "daemon-reload")
        changed = True
    return changed


def frontend(context):
    """The built user interface, verified; where none is given, a page that says so."""
    wanted = context.thing.get("frontend") or {}
    os.makedirs(WWW, exist_ok=True)
    if wanted.get("archive_url"):
        target = f"{WWW}/{wanted['sha256'][:16]}"
        if not os.path.exists(target + "/.complete"):
            archive = WWW + "/archive"
            machine.fetch(wanted["archive_url"], archive, sha256=wanted["sha256"])
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(target)
            unpack(archive, target, wanted["archive_url"])
            os.unlink(archive)
            run("chmod", "-R", "a+rX", target)
            write(target + "/.complete", wanted["archive_url"] + "\n", mode=0o644)
    else:
        target = WWW + "/none"
        name = (context.thing.get("site") or {}).get("name") or "InvenioILS"
        page = machine.filled("no-frontend.html", NAME=name.replace("&", "&amp;").replace("<", "&lt;"))
        write(target + "/index.html", page, mode=0o644)
    write(WWW + "/maintenance/maintenance.html", machine.shared_file("maintenance.html"), mode=0o644)
    write(WWW + "/config/config.js", config_script(context), mode=0o644)
    for folder in (WWW, WWW + "/maintenance", WWW + "/config", target):
        os.chmod(folder, 0o755)
    beside = WWW + "/current.new"
    machine.remove(beside)
    os.symlink(site_folder(target), beside)
    os.replace(beside, WWW + "/current")


def unpack(archive, target, url):
    if url.endswith(".zip"):
        shutil.unpack_archive(archive, target, "zip")
    else:
        run("tar", "-xf", archive, "-C", target, "--no-same-owner", "--no-same-permissions")


def site_folder(target):
    """An archive may hold the site itself, or a folder with it."""
    for folder, _, files in os.walk(target):
        if "index.html" in files:
            return folder
    raise machine.Trouble("the archive of the user interface has no index.html")


def config_script(context):
    """What a user interface that was built once for every host name reads at its start."""
    import json
    thing = context.thing
    site = f"{'http' if thing.get('insecure_http') else 'https'}://{thing['hostname']}"
    values = {"REACT_APP_INVENIO_UI_URL": site, "REACT_APP_INVENIO_REST_ENDPOINTS_BASE_URL": site + "/api",
              "REACT_APP_ENV_NAME": "production", "REACT_APP_INVENIO_VERSION": thing["version"]}
    return "globalThis.process = {env: " + json.dumps(values, sort_keys=True) + "};\n"


def nginx(context):
    thing = context.thing
    names = [thing["hostname"]] + list(thing.get("additional_hostnames") or [])
    text = machine.filled("nginx-web.conf", ADDRESS=context.address, PORT=PORT, NAME=thing["hostname"], NAMES=" ".join(names),
                          CIDR=context.document["cidr"], BODY=f"{thing['load_balancer']['max_body_mib']}m",
                          SCHEME="http" if thing.get("insecure_http") else "https")
    changed = write("/etc/nginx/nginx.conf", text, mode=0o644)
    machine.drop_in("nginx.service", "[Service]\nRestart=always\nRestartSec=2\nProtectHome=yes\nPrivateTmp=yes\n")
    if changed and machine.active("nginx.service") == "ready":
        run("nginx", "-t")
        run("systemctl", "reload", "nginx.service")
    else:
        machine.unit("nginx.service", changed=False)


def ping(context):
    """What the load balancer asks."""
    try:
        plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with plain.open(f"http://{context.address}:{PORT}/ping", timeout=10) as answer:
            return "ready" if answer.status == 200 else f"answers {answer.status}"
    except OSError as why:
        return f"does not answer: {why}"


around = application.around


def health(context):
    return {"web": ping(context), "proxy": machine.active("haproxy.service"), "gate": machine.active("ils-gate.service"), "data": data()}


def data():
    """Whether this machine may change what it shows."""
    if not os.path.exists(keeper.CHANGING):
        return "ready"
    return "only shown: " + (machine.read(keeper.CHANGING).strip() or "there is none")


def facts(context):
    return {"version": application.release_version()}
