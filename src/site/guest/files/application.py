"""What web and worker machines have in common: the application's program, its settings, its way to the services."""
import ast
import base64
import glob
import hashlib
import json
import os
import re
from urllib.parse import quote

import bucket
import keeper
import machine
import release
from machine import run, write

USER = "ils"
# the same number on every machine, so that files on shared storage belong to it wherever they are seen
NUMBER = 20990
CURRENT = "/opt/ils/current"
ETC = "/etc/ils"
HOME = "/var/lib/ils"
INSTANCE = HOME + "/instance"
FILES = "/srv/ils/files"
TAKEN_UP = HOME + "/.taken-up"
PACKAGES = ("python3-pip-whl", "haproxy", "postgresql-client", "ca-certificates", "libmagic1", "libcairo2", "fonts-dejavu-core")


def apply(context, more=()):
    """Everything up to the point where the processes of this role may start.

    Gives whether they must be started again, and whether they only have to read their settings again: `taken_up` ends that."""
    machine.apt(*PACKAGES, *more)
    user()
    trust(context)
    proxy(context)
    mounted(context)
    program = release.installed(context)
    settings(context)
    set_up(context, program)
    if not os.path.islink(CURRENT) or os.readlink(CURRENT) != program:
        beside = CURRENT + ".new"
        machine.remove(beside)
        os.symlink(program, beside)
        os.replace(beside, CURRENT)
    release.tidy(program)
    now, before = in_place(), machine.read_json(TAKEN_UP, {})
    return now["release"] != before.get("release"), now["settings"] != before.get("settings")


def in_place():
    """What processes that start now would run with."""
    settings = hashlib.sha256()
    for path in [ETC + "/settings.json", INSTANCE + "/invenio.cfg"] + sorted(glob.glob(ETC + "/*.crt")):
        settings.update(f"{path}\0{machine.read(path)}\0".encode())
    return {"release": os.readlink(CURRENT), "settings": settings.hexdigest()}


def taken_up():
    """The processes have it. Written down last: whoever fails in between does not leave them with what was before."""
    write(TAKEN_UP, json.dumps(in_place()))


def user():
    if not machine.works("id", "-u", USER):
        run("groupadd", "--system", "--gid", str(NUMBER), USER)
        run("useradd", "--system", "--uid", str(NUMBER), "--gid", USER, "--home-dir", HOME, "--shell", "/usr/sbin/nologin", USER)
    machine.folder(HOME, mode=0o750, owner=USER)
    machine.folder(INSTANCE, mode=0o750, owner=USER)
    machine.folder(INSTANCE + "/static", mode=0o755, owner=USER)
    # the web server reads what is static
    os.chmod(HOME, 0o751)
    os.chmod(INSTANCE, 0o751)
    machine.folder(ETC, mode=0o755)


def service(context, kind):
    try:
        return context.document["services"][kind]
    except KeyError:
        raise machine.Trouble(f"the document names no {kind}") from None


def around(context):
    """Whether the services let themselves be reached, and which of their machines do not. Not mended from here: it is told, so
    that it is known where to look."""
    seen, silent = {}, []
    for kind in ("database", "search", "cache", "queue", "storage"):
        reach = service(context, kind)
        if reach.get("backend") == "object":
            continue
        hosts = [host["address"] for host in reach["hosts"]]
        gone = [host for host in hosts if not machine.answers(host, reach["port"])]
        seen[kind] = "ready" if len(gone) < len(hosts) else "does not answer"
        silent += gone
    return seen, silent


def trust(context):
    """The certificates that the services show, each in a file of its own; else what the system trusts."""
    for kind in ("database", "search", "cache", "queue", "storage"):
        pem = context.bundles.get(kind, {}).get("ca_pem")
        if pem:
            write(authority(kind), pem, mode=0o644)
        else:
            machine.remove(authority(kind))


def authority(kind):
    return f"{ETC}/{kind}.crt"


def authority_or_system(kind):
    return authority(kind) if os.path.exists(authority(kind)) else "/etc/ssl/certs/ca-certificates.crt"


def proxy(context):
    """HAProxy on the loopback: TLS to Redis, RabbitMQ and OpenSearch, verified, and always to a node that leads or is well."""
    parts = []
    checks = {"cache": check_cache, "queue": lambda _: "  balance first\n", "search": check_search}
    for kind, check in checks.items():
        port = proxied(context, kind)
        if not port:
            continue
        reach = service(context, kind)
        parts.append(f"listen {kind}\n  bind 127.0.0.1:{port}\n" + check(context.bundles.get(kind, {})))
        for number, host in enumerate(reach["hosts"]):
            words = [f"  server {kind}-{number} {host['address']}:{reach['port']} check inter 1s fall 3 rise 1 on-marked-down shutdown-sessions"]
            if reach["tls"]:
                words.append(f"ssl check-ssl verify required ca-file {authority_or_system(kind)} verifyhost {host['name']} sni str({host['name']})")
            words.append("init-addr last,libc,none")
            parts.append(" ".join(words) + "\n")
    # they tell only those who have their passwords how they are, so these are in here
    machine.haproxy(parts)


def proxied(context, kind):
    """The proxy's port for a service; none for a search that is not ours, whose addresses may change at any time."""
    if kind == "search" and service(context, kind)["external"]:
        return None
    return {"cache": 6379, "queue": 5672, "search": 9200}[kind]


def check_cache(bundle):
    steps = ["  option tcp-check"]
    if bundle.get("password"):
        # a password of somebody else's may have any letter, and of some the proxy's own configuration makes something else
        word = re.sub("[^A-Za-z0-9]", lambda it: "".join(f"\\x{byte:02x}" for byte in it[0].encode()), bundle["password"])
        steps += [f"  tcp-check send AUTH\\ {word}\\r\\n", "  tcp-check expect string +OK"]
    steps += ["  tcp-check send info\\ replication\\r\\n", "  tcp-check expect string role:master",
              "  tcp-check send QUIT\\r\\n", "  tcp-check expect string +OK"]
    return "\n".join(steps) + "\n"


def check_search(bundle):
    """A node that has no part in a cluster says so."""
    word = base64.b64encode(f"{bundle['username']}:{bundle['password']}".encode()).decode()
    return ("  balance roundrobin\n  option httpchk\n"
            f"  http-check send meth GET uri / ver HTTP/1.1 hdr host search hdr authorization \"Basic {word}\"\n  http-check expect status 200\n")


def mounted(context):
    """The shared files, where they lie on a file server."""
    reach = service(context, "storage")
    if reach.get("backend") == "object":
        return
    machine.apt("nfs-common")
    machine.folder(FILES)
    source = f"{reach['hosts'][0]['name']}:/" + (reach["name"].strip("/") if reach["external"] else "")
    line = f"{source} {FILES} nfs4 vers=4.2,hard,noatime,nodev,nosuid,noexec,_netdev,x-systemd.automount,x-systemd.mount-timeout=60 0 0"
    table = machine.read("/etc/fstab").splitlines()
    if line not in table:
        kept = [old for old in table if f" {FILES} " not in old]
        write("/etc/fstab", "\n".join(kept + [line]) + "\n", mode=0o644)
        run("systemctl", "daemon-reload")
    if not os.path.ismount(FILES):
        run("mount", FILES)


def database_uri(context):
    reach = service(context, "database")
    user, password = context.secret("database", "username"), context.secret("database", "password")
    hosts = [f"host={host['name']}:{reach['port']}" for host in reach["hosts"]]
    # a machine that lost its power says nothing, and a connection to it is given up within what a load balancer takes to look
    options = hosts + ["connect_timeout=3", "target_session_attrs=read-write", "tcp_user_timeout=4000", "keepalives_idle=2",
                       "keepalives_interval=1", "keepalives_count=2"]
    if reach["tls"]:
        options += ["sslmode=verify-full", f"sslrootcert={authority_or_system('database')}"]
    return f"postgresql+psycopg2://{quote(user, safe='')}:{quote(password, safe='')}@/{reach['name']}?" + "&".join(options)


def settings(context):
    """All of the application's settings as one JSON file that only it can read."""
    thing = context.thing
    names = [thing["hostname"]] + list(thing.get("additional_hostnames") or [])
    scheme = "http" if thing.get("insecure_http") else "https"
    site = f"{scheme}://{thing['hostname']}"
    port = proxied(context, "cache")
    redis = f"redis://:{quote(context.secret('cache', 'password'), safe='')}@127.0.0.1:{port}"
    if not context.bundles["cache"].get("password"):
        redis = f"redis://127.0.0.1:{port}"
    user, password = (quote(context.secret("queue", it), safe="") for it in ("username", "password"))
    broker = (f"amqp://{user}:{password}"
              f"@127.0.0.1:{proxied(context, 'queue')}/{service(context, 'queue')['name']}")
    values = {
        "_https": scheme == "https",
        # of each process one thread answers whatever happens; of a worker nobody expects it
        "_waiters": thing["web"]["threads"] - 1 if context.role == "web" else 1,
        "SQLALCHEMY_DATABASE_URI": database_uri(context),
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "pool_recycle": 1800},
        "SEARCH_HOSTS": search_hosts(context),
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": redis + "/0",
        "ACCOUNTS_SESSION_REDIS_URL": redis + "/1",
        "CELERY_RESULT_BACKEND": redis + "/2",
        "RATELIMIT_STORAGE_URI": redis + "/3",
        "BROKER_URL": broker,
        "CELERY_BROKER_URL": broker,
        "CELERY_TASK_ACKS_LATE": True,
        "TRUSTED_HOSTS": names + ["127.0.0.1", "localhost"],
        "SITE_HOSTNAME": thing["hostname"],
        "SITE_UI_URL": site,
        "SITE_API_URL": site + "/api",
        "SPA_HOST": site,
        "PROXYFIX_CONFIG": {"x_for": 1, "x_proto": 1},
        "DEBUG": False,
        "DEBUG_TB_ENABLED": False,
        "LOGGING_CONSOLE_LEVEL": "WARNING",
        "MAX_CONTENT_LENGTH": thing["load_balancer"]["max_body_mib"] * 1024 * 1024,
    }
    secrets = context.bundles["instance"]
    for name in ("secret_key", "csrf_secret_salt", "security_login_salt", "security_password_salt", "security_confirm_salt",
                 "security_reset_salt", "security_change_salt", "security_remember_salt"):
        values[name.upper()] = context.secret("instance", name)
    values.update(files_settings(context))
    values.update(site_settings(thing, secrets))
    values.update({key.removeprefix("INVENIO_"): literal(text) for key, text in (thing.get("config") or {}).items()})
    write(ETC + "/settings.json", json.dumps(values, indent=1, sort_keys=True), mode=0o640, owner="root", group=USER)
    write(INSTANCE + "/invenio.cfg", machine.shared_file("invenio.cfg"), mode=0o640, owner="root", group=USER)


def literal(text):
    """As the application reads its own environment: Python's literals, else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def search_hosts(context):
    """One of our own is behind the proxy, which knows the nodes that are well."""
    reach, port = service(context, "search"), proxied(context, "search")
    one = {"host": "127.0.0.1", "port": port}
    if not port:
        one = {"host": reach["hosts"][0]["name"], "port": reach["port"], "use_ssl": reach["tls"]}
        if reach["tls"]:
            one.update(verify_certs=True, ca_certs=authority_or_system("search"))
    bundle = context.bundles.get("search", {})
    if bundle.get("password"):
        one["http_auth"] = [bundle["username"], bundle["password"]]
    return [one]


def files_settings(context):
    reach = service(context, "storage")
    if reach.get("backend") != "object":
        return {}
    endpoint = f"{'https' if reach['tls'] else 'http'}://{reach['hosts'][0]['name']}:{reach['port']}"
    keys = {half: context.secret("storage", half) for half in ("access_key", "secret_key")}
    hint = context.bundles["storage"].get("region") or machine.read_json(ETC + "/settings.json", {}).get("S3_REGION_NAME") or "us-east-1"
    store = bucket.Bucket({"endpoint": endpoint, "bucket": reach["name"], "region": hint, **keys})
    return {
        "FILES_REST_STORAGE_FACTORY": "invenio_s3.s3fs_storage_factory",
        "S3_ENDPOINT_URL": endpoint,
        "S3_REGION_NAME": store.region(),
        "S3_ACCESS_KEY_ID": keys["access_key"],
        "S3_SECRET_ACCESS_KEY": keys["secret_key"],
        "S3_SIGNATURE_VERSION": "s3v4",
        # Swift and older Ceph do not know the checksums that newer clients send by themselves
        "S3_CONFIG_EXTRA": {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"},
    }


def files_location(context):
    reach = service(context, "storage")
    return f"s3://{reach['name']}" if reach.get("backend") == "object" else FILES


def site_settings(thing, secrets):
    """What people see, and how mail goes out."""
    values = {"MAIL_SUPPRESS_SEND": True}
    site = thing.get("site") or {}
    if site.get("name"):
        values["THEME_SITENAME"] = site["name"]
    if site.get("support_email"):
        values["SUPPORT_EMAIL"] = site["support_email"]
    if site.get("timezone"):
        values["BABEL_DEFAULT_TIMEZONE"] = site["timezone"]
    if site.get("languages"):
        values["BABEL_DEFAULT_LOCALE"] = site["languages"][0]
        values["I18N_LANGUAGES"] = [[code, code] for code in site["languages"][1:]]
    mail = thing.get("mail")
    if mail:
        values.update(MAIL_SUPPRESS_SEND=False, MAIL_SERVER=mail["host"], MAIL_PORT=mail["port"], MAIL_USE_TLS=mail["tls"])
        if mail.get("username"):
            values.update(MAIL_USERNAME=mail["username"], MAIL_PASSWORD=secrets.get("mail_password", ""))
        if mail.get("sender"):
            values.update(MAIL_DEFAULT_SENDER=mail["sender"], SECURITY_EMAIL_SENDER=mail["sender"], MAIL_NOTIFY_SENDER=mail["sender"])
    monitoring = thing.get("monitoring") or {}
    if secrets.get("monitoring_sentry_dsn"):
        values.update(SENTRY_DSN=secrets["monitoring_sentry_dsn"], LOGGING_SENTRY_LEVEL="WARNING", LOGGING_SENTRY_CELERY=True)
        if monitoring.get("sentry_environment"):
            values["SENTRY_ENVIRONMENT"] = monitoring["sentry_environment"]
    return values


def wish_of(context):
    return {
        "version": context.thing["version"],
        "files": files_location(context),
        "admin_email": (context.thing.get("admin") or {}).get("email") or f"admin@{context.thing['hostname']}",
        "admin_password": context.secret("instance", "admin_password"),
    }


def set_up(context, program):
    """Tables, indices, roles, vocabularies and the administrator: once for the whole site, whoever comes first."""
    wish, done = wish_of(context), HOME + "/.set-up"
    mark = hashlib.sha256(json.dumps([wish, program], sort_keys=True).encode()).hexdigest()
    if machine.read(done) == mark:
        if os.path.exists(keeper.CHANGING):
            # somebody brings the data to another version, or died over it: then this one is taken back or said to be lost
            bring_up_to_date({**wish, "idle": True}, program)
        return
    bring_up_to_date(wish, program)
    # it is made of a password, too
    write(done, mark, mode=0o600)


def rebuild(context):
    """For a database that was given back: it may be of an older version, and no index is like it any more."""
    if not os.path.islink(CURRENT):
        raise machine.Trouble("the application is not installed here yet")
    bring_up_to_date({**wish_of(context), "rebuild": True}, os.readlink(CURRENT))


def bring_up_to_date(wish, program):
    try:
        output = run(program + "/venv/bin/python", "-I", "/usr/local/lib/invenioils/setup.py", stdin=json.dumps(wish), user=USER,
                     env=process_environment(), timeout=24 * 3600)
    except machine.Trouble as why:
        # its last line is what it says itself; before that comes what the application told meanwhile
        raise machine.Trouble(str(why).strip().splitlines()[-1].rpartition(" failed (1): ")[2]) from None
    print(output, end="", flush=True)


def process_environment():
    return {"INVENIO_INSTANCE_PATH": INSTANCE, "HOME": HOME, "PYTHONWARNINGS": "ignore", "XDG_CACHE_HOME": HOME + "/cache",
            "AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"}


def outdated():
    """The site's data is a newer version's: this machine has had its time (see keeper.py)."""
    return os.path.exists(keeper.OUTDATED)


def release_version():
    return os.path.basename(os.readlink(CURRENT)).rpartition("-")[0] if os.path.islink(CURRENT) else None
