"""Runs Celery's scheduler on exactly one of the worker machines: the one that holds a lock in the database.

Two schedulers would send every mail to patrons twice. The lock belongs to a session: when this process, its machine or
its connection dies, the next machine gets it; and who cannot reach the database any more stops its scheduler first.
"""
import json
import os
import signal
import subprocess
import sys
import time

LOCK = 4_915_113_702
STATE = "/var/lib/ils/run/scheduler"


def say(state):
    with open(STATE, "w", encoding="utf-8") as file:
        file.write(state + "\n")
    print(state, flush=True)


def main():
    import psycopg2
    from setup import libpq
    with open("/etc/ils/settings.json", encoding="utf-8") as file:
        dsn = libpq(json.load(file)["SQLALCHEMY_DATABASE_URI"])
    connection = psycopg2.connect(dsn, keepalives=1, keepalives_idle=5, keepalives_interval=2, keepalives_count=3,
                                  options="-c statement_timeout=0 -c idle_session_timeout=0")
    connection.autocommit = True
    cursor = connection.cursor()
    say("waiting")
    while True:
        cursor.execute("select pg_try_advisory_lock(%s)", (LOCK,))
        if cursor.fetchone()[0]:
            break
        time.sleep(5)
    say("leading")
    beat = subprocess.Popen([os.path.dirname(sys.executable) + "/celery", "-A", "invenio_app.celery", "beat", "-l", "INFO",
                             "-s", "/var/lib/ils/run/schedule", "--pidfile="])
    signal.signal(signal.SIGTERM, lambda *_: beat.terminate())
    try:
        while beat.poll() is None:
            time.sleep(5)
            # fails when the session is gone, and with it the lock
            cursor.execute("select 1")
    finally:
        if beat.poll() is None:
            beat.terminate()
            try:
                beat.wait(10)
            except subprocess.TimeoutExpired:
                beat.kill()
        say("stopped")
    return beat.returncode


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
