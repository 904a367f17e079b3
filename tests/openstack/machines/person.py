"""Makes an account of the application, as an administrator would: runs in a web machine with the application's Python.
Reads one JSON object: email, password, role."""
import json
import sys

from click.testing import CliRunner
from flask.cli import ScriptInfo
from invenio_app.cli import cli
from invenio_app.factory import create_app

who = json.load(sys.stdin)
app = create_app()
with app.app_context():
    for words in (["users", "create", who["email"], "-a", "-c", "--password=" + who["password"]], ["roles", "add", who["email"], who["role"]]):
        done = CliRunner().invoke(cli, words, obj=ScriptInfo(create_app=lambda *_, **__: app), prog_name="invenio")
        if done.exit_code != 0:
            sys.exit(f"`invenio {' '.join(words[:2])}` failed: {done.output[-400:]} {done.exception!r}")
